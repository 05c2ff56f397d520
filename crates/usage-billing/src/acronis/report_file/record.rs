//! A record of a report's file: cells in the order of the columns.

/// One record, borrowed from the reader that reuses its buffers for each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// All cells, concatenated.
    text: &'a str,
    /// The end of each cell in `text`.
    ends: &'a [usize],
    /// Bytes between two cells.
    gap: usize,
}

impl<'a> Record<'a> {
    /// Creates a record from concatenated cells; `None` if `bytes` is not UTF-8 or a cell ends within a character.
    pub(crate) fn from_utf8(bytes: &'a [u8], ends: &'a [usize]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let is_split = !text.is_ascii() && !ends.iter().all(|end| text.is_char_boundary(*end));
        (!is_split).then_some(Self { text, ends, gap: 0 })
    }

    /// Creates a record from a line with a comma at each of `ends` but the last, which is its length; `None` if it is not UTF-8.
    pub(crate) fn from_line(line: &'a [u8], ends: &'a [usize]) -> Option<Self> {
        Some(Self { text: std::str::from_utf8(line).ok()?, ends, gap: 1 })
    }

    pub(crate) fn get(&self, at: usize) -> Option<&'a str> {
        let end = *self.ends.get(at)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1] + self.gap };
        self.text.get(start..end)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let record = *self;
        (0..self.ends.len()).map(move |at| record.get(at).unwrap_or_default())
    }
}

/// A record that is built cell by cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RecordBuf {
    text: String,
    ends: Vec<usize>,
}

impl RecordBuf {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    pub(crate) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// Bytes of all cells.
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }

    /// Returns the number of cells.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn as_record(&self) -> Record<'_> {
        Record { text: &self.text, ends: &self.ends, gap: 0 }
    }
}

#[cfg(test)]
impl<'a> FromIterator<&'a str> for RecordBuf {
    fn from_iter<I: IntoIterator<Item = &'a str>>(cells: I) -> Self {
        let mut record = Self::default();
        cells.into_iter().for_each(|cell| record.push(cell));
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_out_as_they_went_in() {
        let cells = ["", "a", "株式会社", "", "b"];
        let record: RecordBuf = cells.into_iter().collect();
        assert_eq!(record.as_record().iter().collect::<Vec<_>>(), cells);
        assert_eq!((record.len(), record.as_record().get(5)), (5, None));
        let line = Record::from_line(",a,株式会社,,b".as_bytes(), &[0, 2, 15, 16, 18]).unwrap();
        assert_eq!(line.iter().collect::<Vec<_>>(), cells);
    }

    #[test]
    fn a_character_split_between_two_cells_is_rejected() {
        let bytes = "é".as_bytes();
        assert!(Record::from_utf8(bytes, &[2]).is_some());
        assert_eq!(Record::from_utf8(bytes, &[1, 2]), None);
        assert_eq!(Record::from_utf8(&[0xff], &[1]), None);
    }
}
