//! A run's directory in; Parquet files out.
//!
//! The inputs go through the stages that ran, as in a replay, and the recorded outputs follow the
//! inputs that caused them, so every row is written with what was known at its place.

use crate::{
    facts,
    group::{Done, Scribe},
    known::Known,
    options::Options,
    sheet::{Folder, Written},
};
use zomma::{
    chain::Track,
    feature::Features,
    greeks::Revalue,
    journal::{self, Bar, Between, End, Manifest, Reader, Stream},
    run::{Failure, Files, Plan},
    stage::{Emit, Tap, Then},
    wire::{Event, Kind},
};

/// What an export came to.
#[derive(Debug)]
pub struct Exported {
    /// The files, in the order of the groups.
    pub files: Vec<Written>,
    /// Inputs that were read.
    pub inputs: u64,
    /// Outputs that were read.
    pub outputs: u64,
    /// What a reader of the files should know: a record that a kill cut off, another schema.
    pub notes: Vec<String>,
}

/// Exports a run. Nothing is left in the folder where it fails.
pub fn export(options: &Options) -> Result<Exported, Failure> {
    let manifest = Manifest::read(&options.directory).map_err(unusable)?;
    let plan = plan_of(&manifest)?;
    let (from, to) = (options.from.as_deref(), options.to.as_deref());
    let between = Between::read(from, to, manifest.wall).map_err(Failure::input)?;
    let mut folder =
        Folder::make(&options.out, facts::of(&manifest, &plan, options), options.overwrite)?;
    let scribes: Result<Vec<_>, _> =
        options.groups().map(|group| (group.open)(&mut folder, &plan, options)).collect();
    let valued = options.groups().any(|group| group.values);
    let mut export = Export {
        known: Known::new(&plan),
        scribes: scribes?,
        between,
        outputs: Outputs::open(options)?,
    };
    let inputs = export.run(options, &plan, valued)?;
    let files = export.close()?;
    folder.publish(&files)?;
    let Outputs { reader, end, .. } = export.outputs;
    let notes = [other_schema(&manifest), inputs.1, end].into_iter().flatten().collect();
    Ok(Exported { files, inputs: inputs.0, outputs: reader.records(), notes })
}

pub(crate) fn unusable(error: journal::Error) -> Failure {
    Failure::input(error.to_string())
}

/// What the run was made from: the stages are made of the same again.
pub(crate) fn plan_of(manifest: &Manifest) -> Result<Plan, Failure> {
    let files = manifest.config.iter().map(|file| (file.name.clone(), file.text.clone()));
    Ok(Plan::new(&Files::from_list(files.collect()))?)
}

/// A format version keeps the meaning of every byte, but kinds of event may have come or gone.
fn other_schema(manifest: &Manifest) -> Option<String> {
    (manifest.schema != journal::schema()).then(|| {
        let program = &manifest.version;
        format!("written by zomma {program} with other kinds of event; unknown ones are in `other`")
    })
}

struct Export {
    known: Known,
    scribes: Vec<Box<dyn Scribe>>,
    between: Between,
    outputs: Outputs,
}

impl Export {
    /// All inputs up to the end of the range; how many, and what is to be said of their end.
    fn run(
        &mut self,
        options: &Options,
        plan: &Plan,
        valued: bool,
    ) -> Result<(u64, Option<String>), Failure> {
        let mut inputs = Reader::open(&options.directory, Stream::Inputs).map_err(unusable)?;
        let mut bar = Bar::new("export", inputs.manifest().inputs);
        let rows = Tap(|known: &mut Known, event: &Event| {
            if event.kind == Kind::FEATURES {
                known.row_at = event.seq;
            }
        });
        let features = Then(Features::new(&plan.features, &plan.universe), rows);
        let mut values = Then(Track, Then(Revalue::new(&plan.universe), features));
        while let Some(event) = inputs.next_event() {
            if self.between.is_past(event) {
                return Ok((inputs.records() - 1, None));
            }
            match valued {
                true => values.emit(&mut self.known, event),
                false => self.known.chain.apply(event),
            }
            self.input(event)?;
            bar.at(event.seq);
        }
        let records = inputs.records();
        let note = sound(inputs.end())?;
        self.outputs(u64::MAX)?;
        self.outputs.end = sound(self.outputs.reader.end())?;
        Ok((records, note))
    }

    fn input(&mut self, event: &Event) -> Done {
        self.known.contracts.on_input(event);
        if self.between.holds(event) {
            self.scribes.iter_mut().try_for_each(|scribe| scribe.on_input(&self.known, event))?;
        }
        self.outputs(event.seq)
    }

    /// Outputs that inputs up to this number caused.
    fn outputs(&mut self, seq: u64) -> Done {
        while let Some(event) = self.outputs.take(seq) {
            self.known.orders.on_output(&event);
            if self.between.holds(&event) {
                let known = &self.known;
                self.scribes.iter_mut().try_for_each(|scribe| scribe.on_output(known, &event))?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<Vec<Written>, Failure> {
        let mut files = Vec::new();
        for scribe in &mut self.scribes {
            scribe.on_end(&self.known)?;
            for sheet in scribe.sheets() {
                files.push(sheet.close()?);
            }
        }
        Ok(files)
    }
}

/// The recorded outputs, one looked at ahead.
struct Outputs {
    reader: Reader,
    next: Option<Event>,
    end: Option<String>,
}

impl Outputs {
    fn open(options: &Options) -> Result<Outputs, Failure> {
        let mut reader = Reader::open(&options.directory, Stream::Outputs).map_err(unusable)?;
        let next = reader.next_event().copied();
        Ok(Outputs { reader, next, end: None })
    }

    /// The next output, if an input up to this number caused it.
    fn take(&mut self, seq: u64) -> Option<Event> {
        let taken = self.next.filter(|event| event.seq <= seq)?;
        self.next = self.reader.next_event().copied();
        Some(taken)
    }
}

/// A stream may end in a record that a kill cut off; damage is no export.
fn sound(end: Option<&End>) -> Result<Option<String>, Failure> {
    match end {
        Some(end) if !end.is_whole() => {
            Err(Failure::input(format!("{end}; export what lies before it with --to")))
        }
        Some(end @ End::Torn { .. }) => Ok(Some(end.to_string())),
        _ => Ok(None),
    }
}
