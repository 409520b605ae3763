//! Recorded `.dbn` and `.dbn.zst` files in; one stream of version 3 records on one clock out.

use crate::{
    catalog::Catalog,
    record::{self, Fields, rtype},
    source::{Item, Source},
};
use dbn::{
    Record, VersionUpgradePolicy,
    decode::{DbnMetadata, DecodeRecordRef, DynDecoder},
};
use std::path::Path;

/// Where a record lies and when it is due.
#[derive(Clone, Copy, Debug)]
struct Slot {
    at: u64,
    offset: usize,
    index: u32,
    len: u16,
    channel: u8,
}

/// Recorded files, held in memory, merged by record time.
#[derive(Debug, Default)]
pub struct Tape {
    catalog: Catalog,
    bytes: Vec<u8>,
    slots: Vec<Slot>,
    next: usize,
    opens: u64,
}

impl Tape {
    /// Reads files, one dataset each, and merges them by record time. `datasets` renames them.
    pub fn open(files: &[&Path], datasets: &[String]) -> Result<Tape, String> {
        let mut tape = Tape::default();
        tape.catalog.has_aliases = true;
        for (channel, file) in files.iter().enumerate() {
            let renamed = datasets.get(channel).map(String::as_str);
            tape.read(channel as u8, file, renamed).map_err(|e| {
                format!("{}: {e}; give a readable .dbn or .dbn.zst file", file.display())
            })?;
        }
        // Stable: records of one file keep their order, whatever their times say.
        tape.slots.sort_by_key(|slot| slot.at);
        tape.squeeze();
        tape.opens = tape.slots.iter().map(|s| s.at).find(|&at| at > 0).unwrap_or(0);
        Ok(tape)
    }

    /// The first file sets the pace: what others have before and after its trading goes at once, so
    /// that nobody waits for an underlying's quotes of the night.
    fn squeeze(&mut self) {
        let mut main = self.slots.iter().filter(|slot| slot.channel == 0 && slot.at > 0);
        let Some((first, last)) = main.clone().next().zip(main.next_back()) else { return };
        let (first, last) = (first.at, last.at);
        for slot in self.slots.iter_mut().filter(|slot| slot.at > 0) {
            slot.at = slot.at.clamp(first, last);
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn read(&mut self, channel: u8, file: &Path, renamed: Option<&str>) -> dbn::Result<()> {
        let policy = VersionUpgradePolicy::UpgradeToV3;
        let mut decoder = DynDecoder::from_file(file, policy)?;
        let metadata = decoder.metadata().clone();
        self.catalog.datasets.push(renamed.unwrap_or(&metadata.dataset).into());
        let from = self.slots.len();
        self.mappings_of(channel, &metadata);
        let made = from..self.slots.len();
        let mut has_mappings = false;
        let mut at = 0;
        while let Some(record) = decoder.decode_record_ref()? {
            let size = record.record_size();
            let bytes = &record.as_ref()[..size];
            has_mappings |= bytes.rtype() == rtype::MAPPING;
            let trading = !is_preamble(bytes.rtype());
            // Times inside one file may step back; its order is what it is.
            if trading || at > 0 {
                at = at.max(record::happened(bytes).unwrap_or(at));
            }
            let keep = size - if metadata.ts_out { 8 } else { 0 };
            self.push(channel, at, &bytes[..keep]);
        }
        if has_mappings {
            // A recorded live stream has its own, in their own places.
            self.slots.drain(made);
        }
        Ok(())
    }

    /// Historical files carry their mappings in the header; a live session gets them as records.
    fn mappings_of(&mut self, channel: u8, metadata: &dbn::Metadata) {
        for mapping in &metadata.mappings {
            for interval in &mapping.intervals {
                let Ok(id) = interval.symbol.parse::<u32>() else { continue };
                let symbol = &mapping.raw_symbol;
                let stype = dbn::SType::RawSymbol;
                let bytes = record::mapping(id, metadata.start, symbol, stype, symbol);
                self.push(channel, 0, &bytes);
            }
        }
    }

    fn push(&mut self, channel: u8, at: u64, bytes: &[u8]) {
        let index = self.catalog.learn(channel, bytes);
        let slot = Slot { at, offset: self.bytes.len(), index, len: bytes.len() as u16, channel };
        self.bytes.extend_from_slice(bytes);
        // A record that had a send time was longer.
        self.bytes[slot.offset] = (bytes.len() / 4) as u8;
        self.slots.push(slot);
    }

    fn item(&self, slot: &Slot) -> Item<'_> {
        let bytes = &self.bytes[slot.offset..slot.offset + usize::from(slot.len)];
        Item { at: slot.at, channel: slot.channel, index: slot.index, bytes }
    }
}

/// Whether a record type belongs to what a session is told before trading.
pub fn is_preamble(record_type: u8) -> bool {
    matches!(record_type, rtype::MAPPING | rtype::DEFINITION | rtype::STATISTICS | rtype::SYSTEM)
}

impl Source for Tape {
    fn opens(&self) -> u64 {
        self.opens
    }

    #[inline]
    fn peek(&mut self) -> Option<u64> {
        self.slots.get(self.next).map(|slot| slot.at)
    }

    #[inline]
    fn take(&mut self) -> Item<'_> {
        let slot = self.slots[self.next];
        self.next += 1;
        self.item(&slot)
    }

    fn preamble(&self, each: &mut dyn FnMut(Item<'_>)) {
        for slot in &self.slots[..self.next] {
            let item = self.item(slot);
            if is_preamble(item.bytes.rtype()) {
                each(item);
            }
        }
    }

    fn catalog(&self) -> &Catalog {
        &self.catalog
    }
}
