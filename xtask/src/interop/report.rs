//! The table: scenario × peer and role, how each run went, and the time it took.

use std::{fmt, path::Path, time::Duration};

use anyhow::{Result, bail};

use super::{
    peers::Peer,
    run::{Outcome, Verdict},
    scenario::Role,
    seconds,
};

const NAME_WIDTH: usize = 28;
const CELL_WIDTH: usize = 15;

/// One run.
#[derive(Debug)]
pub(crate) struct Row {
    peer: Peer,
    role: Role,
    scenario: &'static str,
    verdict: Verdict,
    time: Duration,
    tries: u32,
}

impl Row {
    pub(crate) fn new(
        peer: Peer,
        role: Role,
        scenario: &'static str,
        outcome: Outcome,
        tries: u32,
    ) -> Self {
        Self {
            peer,
            role,
            scenario,
            verdict: outcome.verdict,
            time: outcome.time,
            tries,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        matches!(self.verdict, Verdict::Failed(_))
    }

    fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    fn cell(&self) -> String {
        let result = match self.verdict {
            Verdict::Passed => "ok",
            Verdict::Failed(_) => "FAIL",
            Verdict::LeftOut(_) => return "left out".to_owned(),
        };
        let tries = if self.tries > 1 {
            format!(", try {}", self.tries)
        } else {
            String::new()
        };
        format!("{result} {}{tries}", seconds(self.time))
    }
}

/// The line of a run that has just ended.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:NAME_WIDTH$} {}", self.scenario, self.cell())?;
        match &self.verdict {
            Verdict::Passed => Ok(()),
            Verdict::LeftOut(why) => write!(f, ": {why}"),
            Verdict::Failed(problems) => {
                let mut problems = problems.iter();
                problems.try_for_each(|problem| write!(f, "\n      {problem}"))
            }
        }
    }
}

/// Every run so far. Displays as the table.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Prints the table; an error where there is something wrong in it.
    ///
    /// # Errors
    ///
    /// A run has failed, or there was none.
    pub(crate) fn conclude(&self, logs: &Path) -> Result<()> {
        if self.rows.is_empty() {
            bail!("no scenario has such a name");
        }
        println!("\n{self}");
        match self.count(Row::failed) {
            0 => Ok(()),
            n => bail!(
                "{n} of {} runs failed; logs in {}",
                self.rows.len(),
                logs.display()
            ),
        }
    }

    fn count(&self, is_one: impl Fn(&Row) -> bool) -> usize {
        self.rows.iter().filter(|row| is_one(row)).count()
    }

    fn columns(&self) -> Vec<(Peer, Role)> {
        let mut columns = Vec::new();
        for row in &self.rows {
            if !columns.contains(&(row.peer, row.role)) {
                columns.push((row.peer, row.role));
            }
        }
        columns
    }

    fn scenarios(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for row in &self.rows {
            if !names.contains(&row.scenario) {
                names.push(row.scenario);
            }
        }
        names
    }

    fn cell(&self, scenario: &str, column: (Peer, Role)) -> String {
        let found = self
            .rows
            .iter()
            .find(|r| r.scenario == scenario && (r.peer, r.role) == column);
        found.map_or("-".into(), Row::cell)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        write!(f, "{:NAME_WIDTH$}", "")?;
        for (peer, _) in &columns {
            write!(f, " {:CELL_WIDTH$}", peer.to_string())?;
        }
        write!(f, "\n{:NAME_WIDTH$}", "their role")?;
        for (_, role) in &columns {
            write!(f, " {:CELL_WIDTH$}", role.slug())?;
        }
        for name in self.scenarios() {
            write!(f, "\n{name:NAME_WIDTH$}")?;
            for column in &columns {
                write!(f, " {:CELL_WIDTH$}", self.cell(name, *column))?;
            }
        }
        let left_out = self.count(|row| matches!(row.verdict, Verdict::LeftOut(_)));
        let run = self.rows.len() - left_out;
        write!(f, "\n\n{} of {run} runs passed", self.count(Row::passed))?;
        let again = self.count(|row| row.passed() && row.tries > 1);
        if again > 0 {
            write!(f, ", {again} of them not at the first try: see their logs")?;
        }
        if left_out > 0 {
            write!(f, "; {left_out} left out")?;
        }
        f.write_str(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: impl IntoIterator<Item = (Verdict, u32)>) -> Report {
        let mut report = Report::default();
        for (verdict, tries) in verdicts {
            let time = Duration::from_secs(1);
            let outcome = Outcome { verdict, time };
            let row = Row::new(Peer::Firefox, Role::Offer, "opus", outcome, tries);
            report.push(row);
        }
        report
    }

    #[test]
    fn what_is_left_out_has_neither_passed_nor_failed() {
        let all = [
            (Verdict::Passed, 1),
            (Verdict::Passed, 2),
            (Verdict::LeftOut("no such codec".into()), 1),
        ];
        let told = report(all.clone()).to_string();
        let last = told.lines().last();
        let expected =
            "2 of 2 runs passed, 1 of them not at the first try: see their logs; 1 left out.";
        assert_eq!(last, Some(expected));
        assert!(report(all).conclude(Path::new("logs")).is_ok());
        let alone = report([(Verdict::LeftOut("no such codec".into()), 1)]);
        let row = alone.to_string();
        assert!(row.contains("left out") && !row.contains("ok"), "{row}");
    }

    #[test]
    fn a_failure_is_an_error_and_so_is_nothing_at_all() {
        let failed = Verdict::Failed(vec!["silence".into()]);
        let one = report([(Verdict::Passed, 1), (failed, 3)]);
        assert!(one.to_string().ends_with("1 of 2 runs passed."));
        assert!(one.conclude(Path::new("logs")).is_err());
        assert!(report([]).conclude(Path::new("logs")).is_err());
    }
}
