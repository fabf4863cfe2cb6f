//! The table: scenario × peer and role, how each run went, the time it took, and what was measured.

use std::{fmt, path::Path, time::Duration};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{
    peers::Peer,
    run::{Outcome, Verdict},
    scenario::Role,
    seconds,
};

const NAME_WIDTH: usize = 28;
const CELL_WIDTH: usize = 15;

/// Whom a run was with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Column {
    /// Nobody but us.
    #[default]
    Alone,
    With(Peer, Role),
}

/// One run. A program that runs what is ours alone tells it to the one that has started it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    #[serde(skip)]
    column: Column,
    scenario: String,
    verdict: Verdict,
    time: Duration,
    tries: u32,
    told: Option<String>,
}

impl Row {
    pub(crate) fn new(
        peer: Peer,
        role: Role,
        scenario: &str,
        outcome: Outcome,
        tries: u32,
    ) -> Self {
        Self {
            column: Column::With(peer, role),
            ..Self::alone(scenario, outcome, tries)
        }
    }

    /// Of a run with nobody but us.
    pub(crate) fn alone(scenario: &str, outcome: Outcome, tries: u32) -> Self {
        Self {
            column: Column::Alone,
            scenario: scenario.to_owned(),
            verdict: outcome.verdict,
            time: outcome.time,
            tries,
            told: None,
        }
    }

    /// With what was found or measured.
    pub(crate) fn telling(self, told: Option<String>) -> Self {
        Self { told, ..self }
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
            Verdict::Passed => self.told.iter().try_for_each(|told| write!(f, ": {told}")),
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

    pub(crate) fn extend(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
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

    fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for row in &self.rows {
            if !columns.contains(&row.column) {
                columns.push(row.column);
            }
        }
        columns
    }

    fn scenarios(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !names.contains(&row.scenario.as_str()) {
                names.push(&row.scenario);
            }
        }
        names
    }

    fn of<'a>(&'a self, scenario: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.scenario == scenario)
    }

    fn cell(&self, scenario: &str, column: Column) -> String {
        let found = self.of(scenario).find(|row| row.column == column);
        found.map_or("-".into(), Row::cell)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        write!(f, "{:NAME_WIDTH$}", "")?;
        for column in &columns {
            let peer = match column {
                Column::Alone => "alone".to_owned(),
                Column::With(peer, _) => peer.to_string(),
            };
            write!(f, " {peer:CELL_WIDTH$}")?;
        }
        write!(f, "\n{:NAME_WIDTH$}", "their role")?;
        for column in &columns {
            let role = match column {
                Column::Alone => "-",
                Column::With(_, role) => role.slug(),
            };
            write!(f, " {role:CELL_WIDTH$}")?;
        }
        for name in self.scenarios() {
            write!(f, "\n{name:NAME_WIDTH$}")?;
            for column in &columns {
                write!(f, " {:CELL_WIDTH$}", self.cell(name, *column))?;
            }
            let told = self.of(name).filter_map(|row| row.told.as_deref());
            f.write_str(&told.collect::<Vec<_>>().join("; "))?;
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
    fn what_was_measured_stands_beside_it_also_where_another_program_ran_it() {
        let outcome = Outcome {
            verdict: Verdict::Passed,
            time: Duration::from_secs(2),
        };
        let row = Row::alone("a cable pulled", outcome, 1).telling(Some("0.4 s".into()));
        let sent = serde_json::to_string(&[row]).unwrap();
        let mut report = report([]);
        let rows: Vec<Row> = serde_json::from_str(&sent).unwrap();
        report.extend(rows);
        let table = report.to_string();
        let line = table.lines().find(|line| line.starts_with("a cable"));
        let words: Vec<_> = line.unwrap().split_whitespace().collect();
        assert_eq!(words.join(" "), "a cable pulled ok 2.0 s 0.4 s");
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
