//! `Choice`: the rows that a plan asks for, and where they are.

use std::path::PathBuf;
use std::sync::Arc;

use csvfeed_core::choose::Step;
use csvfeed_core::choose::windows::{Shape, Windows};
use csvfeed_core::epoch::cache::Cache;
use csvfeed_core::epoch::selection::Selection;
use csvfeed_core::epoch::windows::{self, Share};
use csvfeed_core::error::Error;
use csvfeed_core::passes::survey;
use csvfeed_core::rows::Widths;
use csvfeed_core::table::Table;
use csvfeed_core::table::schema::Schema;

use crate::input::Input;
use crate::options::{PyLanes, PyShare, PyStep, PyWindows};
use crate::signals::{Stop, check_signals};
use crate::steps;
use crate::vocabularies;

/// The rows that a plan asks for.
pub(crate) struct Choice {
    pub input: Arc<Input>,
    pub schema: Arc<Schema>,
    pub steps: Vec<Step>,
    /// The windows over the rows, if these are to be yielded.
    pub windows: Option<WindowOptions>,
    /// The lanes of this process, if the rows are distributed.
    pub lanes: Option<PyLanes>,
    pub cache: Option<CacheOptions>,
}

/// Where the parsed rows are kept.
pub(crate) struct CacheOptions {
    pub directory: PathBuf,
    /// A description of what missing features become.
    pub fill: String,
}

/// The windows over the rows of a plan.
#[derive(Debug)]
pub(crate) struct WindowOptions {
    pub shape: Shape,
    /// The columns of the key.
    by: Vec<usize>,
    /// The share of one worker.
    share: Option<Share>,
}

/// Where the rows of a choice are.
#[derive(Clone)]
pub(crate) struct Known {
    /// The rows of all lanes.
    pub selection: Arc<Selection>,
    /// The windows over them, if these are yielded.
    pub windows: Option<Arc<Windows>>,
    /// The lanes of this process. Rows that are not distributed are one lane.
    pub lanes: Vec<Lane>,
}

/// Rows that are read in an order of their own.
#[derive(Clone)]
pub(crate) struct Lane {
    pub selection: Arc<Selection>,
    pub windows: Option<Arc<Windows>>,
    pub cache: Option<Arc<Cache>>,
}

impl Lane {
    /// The number of rows, or of windows.
    pub fn rows(&self) -> u64 {
        self.windows.as_ref().map_or_else(|| self.selection.rows(), |windows| windows.count())
    }
}

impl Choice {
    pub fn new(
        input: Arc<Input>,
        schema: Arc<Schema>,
        steps: Vec<PyStep>,
        windows: Option<PyWindows>,
        lanes: Option<PyLanes>,
        cache: Option<CacheOptions>,
    ) -> Result<Self, Error> {
        let steps = steps::resolve(&input, steps)?;
        let windows = windows.map(|given| WindowOptions::of(&input, given)).transpose()?;
        Ok(Self { input, schema, steps, windows, lanes, cache })
    }

    /// Finds out where the rows are: the cache may know, or else a pass over the source tells.
    pub fn find(&self, table: &Table, anywhere: bool) -> Result<Known, Stop> {
        let Some(PyLanes { first, end, count, .. }) = self.lanes else {
            let share = self.windows.as_ref().and_then(|windows| windows.share.as_ref());
            let (cache, cached) = self.open_cache(table, &self.steps, share.map(|share| self.described(share)));
            let selection = cached.map_or_else(|| self.select(table, &self.steps, anywhere), Ok)?;
            let windows = self.find_windows(table, &selection, anywhere)?;
            let lanes = vec![Lane { selection: Arc::clone(&selection), windows: windows.clone(), cache }];
            return Ok(Known { selection, windows, lanes });
        };
        let selection = self.select(table, &self.steps, anywhere)?;
        let windows = self.find_windows(table, &selection, anywhere)?;
        let lane = |number| {
            if let Some(windows) = &windows {
                // The rows of a lane are those that its windows need.
                let own = self.described(&(number, count));
                let (cache, cached) = self.open_cache(table, &self.steps, Some(own));
                let selection = cached.unwrap_or_else(|| Arc::clone(&selection));
                return Lane { selection, windows: Some(Arc::new(windows.lane(number, count))), cache };
            }
            let steps = [&self.steps[..], &[Step::Lane { number, count }]].concat();
            let (cache, cached) = self.open_cache(table, &steps, None);
            Lane { selection: cached.unwrap_or_else(|| selection.lane(number, count)), windows: None, cache }
        };
        let lanes = (first..end).map(lane).collect();
        Ok(Known { selection, windows, lanes })
    }

    /// A description of the part of the windows that a process has.
    fn described(&self, part: &dyn std::fmt::Debug) -> String {
        format!("{:?} {part:?}", self.windows)
    }

    /// The names of the columns of the key of windows.
    pub fn key_names(&self) -> Vec<String> {
        let by = self.windows.as_ref().map_or(&[][..], |windows| &windows.by);
        by.iter().map(|&column| self.schema.columns[column].clone()).collect()
    }

    /// Whether this process has the first share or lane, or all rows.
    pub fn is_first(&self) -> bool {
        let share = self.windows.as_ref().and_then(|windows| windows.share.as_ref());
        share.is_none_or(|share| share.index == 0) && self.lanes.as_ref().is_none_or(|lanes| lanes.first == 0)
    }

    /// Finds the windows over the rows, by a pass over the source if one is needed.
    fn find_windows(
        &self,
        table: &Table,
        selection: &Arc<Selection>,
        anywhere: bool,
    ) -> Result<Option<Arc<Windows>>, Stop> {
        let Some(WindowOptions { shape, by, share }) = &self.windows else { return Ok(None) };
        let reads = anywhere || windows::needs_pass(table, selection, by);
        let table = if reads { &self.input.texts_of(table.clone(), check_signals)? } else { table };
        let found = selection.windows(table, *shape, by, self.input.budget(), check_signals)?;
        Ok(Some(Arc::new(match share {
            Some(share) => selection.share_of(&found, *share),
            None => found,
        })))
    }

    /// The cache of some rows, if one is wanted, and the selection of these rows if it is complete.
    /// `part` describes which of their windows a process has.
    fn open_cache(
        &self,
        table: &Table,
        steps: &[Step],
        part: Option<String>,
    ) -> (Option<Arc<Cache>>, Option<Arc<Selection>>) {
        let Some(CacheOptions { directory, fill }) = &self.cache else { return (None, None) };
        let slice_bytes = self.input.slice_bytes(table);
        let part = part.map_or_else(String::new, |part| format!(" {part}"));
        let key = format!("{} {steps:?} {slice_bytes} {fill}{part}", table.description());
        let (cache, selection) = Cache::open(directory, &key, Widths::of(&self.schema), steps);
        (Some(cache), selection)
    }

    /// Selects the rows that some steps leave, by a pass over the source.
    pub fn select(&self, table: &Table, steps: &[Step], anywhere: bool) -> Result<Arc<Selection>, Stop> {
        let needs_pass = steps.iter().any(Step::needs_pass);
        let table = if anywhere || needs_pass { &self.input.texts_of(table.clone(), check_signals)? } else { table };
        let budget = self.input.budget();
        let shared = self.input.shared_row_index().lock().clone();
        let row_index = if let Some(row_index) = shared {
            row_index
        } else {
            let found = survey::row_index(table, budget, self.input.slice_bytes(table), check_signals)?;
            vocabularies::keep(&self.input, found.1);
            found.0
        };
        Selection::make(table, row_index, steps, budget, check_signals)
    }
}

impl Known {
    /// The number of rows, or of windows, of all lanes.
    pub fn rows(&self) -> u64 {
        self.windows.as_ref().map_or_else(|| self.selection.rows(), |windows| windows.count())
    }

    /// The values of missing features that the cache was written with, if all rows are in the cache.
    pub fn filling(&self) -> Option<Vec<f32>> {
        let fillings = self.lanes.iter().map(|lane| lane.cache.as_ref().and_then(|cache| cache.filling()));
        fillings.reduce(|one, other| other.and(one)).flatten()
    }
}

impl WindowOptions {
    pub fn of(input: &Input, given: PyWindows) -> Result<Self, Error> {
        let PyWindows { length, stride, horizon, by, share } = given;
        let share = share.map(|PyShare { worker, workers, batch_size, drop_remainder }| Share {
            index: worker,
            count: workers,
            batch_size,
            drop_remainder,
        });
        let by = by.iter().map(|column| input.deciding_column(column, "by")).collect::<Result<_, _>>()?;
        Ok(Self { shape: Shape { length, stride, horizon }, by, share })
    }
}
