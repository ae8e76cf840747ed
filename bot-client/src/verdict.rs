//! Verdicts: what a run has to show, so that a script can end on it.

use crate::report::Report;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// What is required of a report: `interval_p99_ms<=40,corrections<=0`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requirements(Vec<Requirement>);

/// One figure and its bound.
#[derive(Clone, Debug, PartialEq)]
struct Requirement {
    name: String,
    order: Order,
    bound: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    AtMost,
    AtLeast,
}

/// Why a text is no list of requirements.
#[derive(Debug, Error, PartialEq)]
pub enum RequirementError {
    /// It is not of the form.
    #[error("{0:?} is not of the form NAME<=NUMBER or NAME>=NUMBER")]
    Form(String),
    /// No figure has this name.
    #[error("no figure is called {name:?}; there are {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

impl FromStr for Requirements {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Requirements, RequirementError> {
        let known = figures(&Report::default());
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let all = parts.map(|part| Requirement::parse(part, &known)).collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() { Err(RequirementError::Form(text.to_owned())) } else { Ok(Requirements(all)) }
    }
}

impl Requirement {
    fn parse(part: &str, known: &BTreeMap<String, f64>) -> Result<Requirement, RequirementError> {
        let wrong = || RequirementError::Form(part.to_owned());
        let split =
            |order, sign| part.split_once(sign).map(|(name, bound)| (order, name.trim(), bound.trim()));
        let (order, name, bound) =
            split(Order::AtMost, "<=").or_else(|| split(Order::AtLeast, ">=")).ok_or_else(wrong)?;
        let bound: f64 = bound.parse().map_err(|_| wrong())?;
        if !bound.is_finite() {
            return Err(wrong());
        }
        if !known.contains_key(name) {
            let known = known.keys().cloned().collect();
            return Err(RequirementError::Unknown { name: name.to_owned(), known });
        }
        Ok(Requirement { name: name.to_owned(), order, bound })
    }

    fn holds(&self, value: f64) -> bool {
        match self.order {
            Order::AtMost => value <= self.bound,
            Order::AtLeast => value >= self.bound,
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.order == Order::AtMost { "<=" } else { ">=" };
        write!(f, "{}{sign}{}", self.name, self.bound)
    }
}

/// What a report is worth.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// All that was required holds.
    Passed,
    /// Something does not, in words.
    Failed(Vec<String>),
    /// The bots themselves were late, so that what they saw says nothing of the server.
    Spoiled(String),
}

/// With 99 of 100 inputs no later than this the bots are trusted.
const TRUSTED_LATENESS_MS: f64 = 10.0;

impl Requirements {
    /// Compares a report with what is required. Without requirements only the faults count.
    #[must_use]
    pub fn judge(&self, report: &Report) -> Verdict {
        let late = report.bot_lateness_ms.p99;
        let figures = figures(report);
        let mut failed = Vec::new();
        if !report.is_good() {
            failed.push("the server made mistakes, or all clients were lost: see the report".to_owned());
        }
        for requirement in &self.0 {
            let value = figures.get(&requirement.name).copied();
            if !value.is_some_and(|value| requirement.holds(value)) {
                let value = value.map_or("nothing".to_owned(), |value| format!("{value:.3}"));
                failed.push(format!("required {requirement}, measured {value}"));
            }
        }
        match failed.is_empty() {
            true => Verdict::Passed,
            false if report.is_good() && late > TRUSTED_LATENESS_MS => Verdict::Spoiled(format!(
                "the bots sent their own inputs {late:.1} ms late (p99): the machine was too slow for them, \
                 and what they saw says nothing of the server; {}",
                failed.join("; ")
            )),
            false => Verdict::Failed(failed),
        }
    }
}

/// The figures of a report by name: a quantile of `interval_ms` is `interval_p99_ms`.
fn figures(report: &Report) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    let Ok(Value::Object(fields)) = serde_json::to_value(report) else { return figures };
    for (name, value) in fields {
        match value {
            Value::Object(quantiles) if name.ends_with("_ms") => {
                let stem = name.trim_end_matches("_ms");
                let values = quantiles.iter().filter_map(|(key, value)| Some((key, value.as_f64()?)));
                figures.extend(values.map(|(key, value)| (format!("{stem}_{key}_ms"), value)));
            }
            Value::Number(_) => {
                figures.extend(value.as_f64().map(|value| (name, value)));
            }
            _ => {}
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Quantiles;

    fn report() -> Report {
        let quantiles = |p99| Quantiles { p50: 1.0, p99, p999: 90.0, max: 99.0 };
        let interval_ms = quantiles(39.0);
        Report {
            clients: 3,
            interval_ms,
            corrections: 2,
            bot_lateness_ms: quantiles(0.5),
            ..Report::default()
        }
    }

    fn judge(text: &str, report: &Report) -> Verdict {
        text.parse::<Requirements>().unwrap().judge(report)
    }

    #[test]
    fn what_holds_passes_and_what_does_not_fails() {
        assert_eq!(judge("interval_p99_ms<=40, corrections<=2,clients>=3", &report()), Verdict::Passed);
        let Verdict::Failed(why) = judge("interval_p99_ms<=38.5,corrections<=1,clients>=3", &report()) else {
            panic!("two of three do not hold");
        };
        assert_eq!(why[0], "required interval_p99_ms<=38.5, measured 39.000");
        assert_eq!(why.len(), 2);
        let wrong = Report { wrong_states: 1, ..report() };
        assert!(matches!(judge("clients>=1", &wrong), Verdict::Failed(_)));
    }

    #[test]
    fn late_bots_spoil_a_run_instead_of_blaming_the_server() {
        let mut late = report();
        late.bot_lateness_ms.p99 = 25.0;
        assert_eq!(judge("interval_p99_ms<=40", &late), Verdict::Passed, "it held all the same");
        assert!(matches!(judge("interval_p99_ms<=30", &late), Verdict::Spoiled(_)));
        late.wrong_states = 1;
        assert!(matches!(judge("interval_p99_ms<=30", &late), Verdict::Failed(_)), "no lateness does that");
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for text in ["", "corrections", "corrections<3", "corrections<=x", "corrections<=inf"] {
            assert!(matches!(text.parse::<Requirements>(), Err(RequirementError::Form(_))), "{text}");
        }
        let Err(RequirementError::Unknown { name, known }) = "corections<=0".parse::<Requirements>() else {
            panic!("there is no such figure");
        };
        assert_eq!(name, "corections");
        assert!(known.iter().any(|name| name == "interval_p99_ms"));
    }
}
