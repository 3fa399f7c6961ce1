//! The steps that choose rows: from the options of Python to those of the core.

use std::sync::Arc;

use csvfeed_core::choose::Step;
use csvfeed_core::choose::classes::Draw;
use csvfeed_core::choose::conditions::Conditions;
use csvfeed_core::error::Error;
use csvfeed_core::table::schema::Column;

use crate::input::Input;
use crate::options::{PyCondition, PyShare, PyStep, wanted};

/// The steps of a plan.
pub(crate) fn resolve(input: &Input, given: Vec<PyStep>) -> Result<Vec<Step>, Error> {
    let mut steps: Vec<Step> = Vec::with_capacity(given.len());
    for given in given {
        match (steps.last_mut(), step(input, given)?) {
            // One pass finds the rows that meet all of these conditions.
            (Some(Step::Where(conditions)), Step::Where(more)) => {
                *conditions = Arc::new(conditions.and(Arc::unwrap_or_clone(more)));
            }
            (_, step) => steps.push(step),
        }
    }
    Ok(steps)
}

fn step(input: &Input, step: PyStep) -> Result<Step, Error> {
    Ok(match step {
        PyStep::Part { column: None, fraction, seed, held_out } => Step::Part { fraction, seed, held_out },
        PyStep::Part { column: Some(column), fraction, seed, held_out } => {
            Step::Key { column: input.deciding_column(&Column::from(column), "by")?, fraction, seed, held_out }
        }
        PyStep::Where { conditions } => {
            let resolved = |condition: PyCondition| {
                let PyCondition { column, kind, bounds } = condition;
                let at = input.deciding_column(&Column::from(column), "where()")?;
                Ok((at, wanted(&kind, bounds)))
            };
            let conditions = conditions.into_iter().map(resolved).collect::<Result<_, Error>>()?;
            Step::Where(Arc::new(Conditions::new(conditions, &input.schema)?))
        }
        PyStep::Fold { number, folds, seed, held_out, by: None, stratify: None } => {
            Step::Fold { number, count: folds, seed, held_out }
        }
        PyStep::Fold { number, folds, seed, held_out, by: Some(column), .. } => {
            let column = input.deciding_column(&Column::from(column), "by")?;
            Step::KeyFold { column, number, count: folds, seed, held_out }
        }
        PyStep::Fold { number, folds, seed, held_out, stratify: Some(column), .. } => {
            let draw = Draw::Fold { number, count: folds, held_out };
            Step::Classes { column: input.deciding_column(&Column::from(column), "stratify")?, draw, seed }
        }
        PyStep::StratifiedPart { stratify, fraction, seed, held_out } => {
            let draw = Draw::Part { fraction, held_out };
            Step::Classes { column: input.deciding_column(&Column::from(stratify), "stratify")?, draw, seed }
        }
        PyStep::Balance { by, ratio, oversample, seed } => {
            let draw = Draw::Balance { ratio: ratio.into(), oversample };
            Step::Classes { column: input.deciding_column(&Column::from(by), "by")?, draw, seed }
        }
        PyStep::Run { start, stop } => Step::Run(start..stop.unwrap_or(u64::MAX)),
        PyStep::Shard(PyShare { worker, workers, batch_size, drop_remainder }) => {
            Step::Shard { index: worker, count: workers, batch_size, drop_remainder }
        }
    })
}
