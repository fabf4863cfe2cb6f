//! The table: scenario × peer and role, pass or fail, and the time it took.

use std::{fmt, time::Duration};

use super::{peers::Peer, run::Outcome, scenario::Role, seconds};

const NAME_WIDTH: usize = 28;
const CELL_WIDTH: usize = 15;

/// One run.
#[derive(Debug)]
pub(crate) struct Row {
    peer: Peer,
    role: Role,
    scenario: &'static str,
    problems: Vec<String>,
    time: Duration,
    tries: u32,
}

impl Row {
    pub(crate) fn new(
        peer: Peer,
        role: Role,
        scenario: &'static str,
        outcome: &Outcome,
        tries: u32,
    ) -> Self {
        Self {
            peer,
            role,
            scenario,
            problems: outcome.problems.clone(),
            time: outcome.time,
            tries,
        }
    }

    pub(crate) fn passed(&self) -> bool {
        self.problems.is_empty()
    }

    fn cell(&self) -> String {
        let result = if self.passed() { "ok" } else { "FAIL" };
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
        self.problems
            .iter()
            .try_for_each(|problem| write!(f, "\n      {problem}"))
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

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn failures(&self) -> usize {
        self.rows.iter().filter(|row| !row.passed()).count()
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
        let passed = self.len() - self.failures();
        write!(f, "\n\n{passed} of {} runs passed", self.len())?;
        match self
            .rows
            .iter()
            .filter(|row| row.passed() && row.tries > 1)
            .count()
        {
            0 => f.write_str("."),
            n => write!(f, ", {n} of them not at the first try: see their logs."),
        }
    }
}
