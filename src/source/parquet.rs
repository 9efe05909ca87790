//! Parquet files: footers, row groups, batches. The only room that names the `parquet` crate.
//!
//! Foreign bytes are never trusted: a decoder that fails or panics is an error value.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Type as PhysicalType, ZstdLevel};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::properties::WriterProperties;
use xxhash_rust::xxh3::Xxh3;

use super::columns;
use super::scan::Stamp;
use crate::batch::{Column, Field, Form, Nature, Wanted};

/// Rows of a batch at most.
pub const BATCH_ROWS: usize = 8192;

const MAGIC: &[u8] = b"PAR1";
const MAGIC_ENCRYPTED: &[u8] = b"PARE";

/// Magic at both ends and the footer's length.
const SIZE_MIN: u64 = 12;

/// Why a file cannot be read: a word for the `reason` label, and the rest for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    pub reason: &'static str,
    pub what: String,
}

impl Failure {
    pub(super) fn new(reason: &'static str, what: impl Into<String>) -> Failure {
        Failure { reason, what: what.into() }
    }

    /// The file may just not be finished yet.
    pub fn may_pass(&self) -> bool {
        matches!(self.reason, "empty" | "unfinished" | "not_parquet" | "corrupt")
    }
}

/// An open file with a readable footer.
#[derive(Debug)]
pub struct Opened {
    pub stamp: Stamp,
    /// (digest, rows) of each row group.
    pub groups: Vec<(u64, u64)>,
    file: File,
    metadata: ArrowReaderMetadata,
}

/// Opens a file and reads its footer.
pub fn open(path: &Path) -> Result<Opened, Failure> {
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new("vanished", "it is gone"),
        _ => Failure::new("unreadable", error.to_string()),
    };
    // Asked before it is opened: to open a pipe would be to wait for its writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(Failure::new("unreadable", "it is not a file"));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let stamp = Stamp::of(&metadata);
    ends(&mut file, stamp.size)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let read = catch_unwind(AssertUnwindSafe(|| ArrowReaderMetadata::load(&file, options)));
    let metadata = match read {
        Ok(Ok(metadata)) => metadata,
        Ok(Err(error)) => {
            return Err(Failure::new("corrupt", format!("its footer cannot be read: {error}")));
        }
        Err(_) => return Err(Failure::new("corrupt", "its footer makes no sense")),
    };
    let groups = digests(&metadata);
    Ok(Opened { stamp, groups, file, metadata })
}

/// What both ends of the file say of it.
fn ends(file: &mut File, size: u64) -> Result<(), Failure> {
    if size == 0 {
        return Err(Failure::new("empty", "it has no bytes"));
    }
    let torn = |error: std::io::Error| Failure::new("unfinished", error.to_string());
    let mut head = vec![0; size.min(4) as usize];
    file.read_exact(&mut head).map_err(torn)?;
    if head == MAGIC_ENCRYPTED {
        return Err(Failure::new("unsupported", "its footer is encrypted; write it without encryption"));
    }
    if !MAGIC.starts_with(&head) {
        return Err(Failure::new("not_parquet", "it does not begin like a Parquet file"));
    }
    if size < SIZE_MIN {
        return Err(Failure::new("unfinished", format!("it has {size} bytes and no footer yet")));
    }
    let mut tail = [0; 4];
    file.seek(SeekFrom::End(-4)).and_then(|_| file.read_exact(&mut tail)).map_err(torn)?;
    if tail != MAGIC {
        return Err(Failure::new("unfinished", "it has no footer yet"));
    }
    Ok(())
}

/// One digest a row group: schema, rows, places, sizes and column statistics.
fn digests(metadata: &ArrowReaderMetadata) -> Vec<(u64, u64)> {
    let mut schema = Xxh3::new();
    for field in metadata.schema().fields() {
        schema.update(field.name().as_bytes());
        schema.update(field.data_type().to_string().as_bytes());
    }
    let schema = schema.digest();
    let digest = |group: &RowGroupMetaData| {
        let mut digest = Xxh3::with_seed(schema);
        digest.update(&group.num_rows().to_le_bytes());
        for column in group.columns() {
            digest.update(&column.data_page_offset().to_le_bytes());
            digest.update(&column.compressed_size().to_le_bytes());
            digest.update(&column.uncompressed_size().to_le_bytes());
            if let Some(statistics) = column.statistics() {
                digest.update(statistics.min_bytes_opt().unwrap_or(b"-"));
                digest.update(statistics.max_bytes_opt().unwrap_or(b"-"));
                digest.update(&statistics.null_count_opt().unwrap_or(u64::MAX).to_le_bytes());
            }
        }
        digest.digest()
    };
    metadata.metadata().row_groups().iter().map(|group| (digest(group), group.num_rows().max(0) as u64)).collect()
}

impl Opened {
    pub fn fields(&self) -> Vec<Field> {
        self.metadata.schema().fields().iter().map(|field| columns::field(field)).collect()
    }

    /// Wanted columns that are not there or cannot take their form, with the reason.
    pub fn problems(&self, wanted: &[Wanted], partitions: &BTreeMap<String, String>) -> Vec<(String, &'static str)> {
        let schema = self.metadata.schema();
        let problem = |wanted: &Wanted| match schema.field_with_name(&wanted.name) {
            Ok(field) => columns::problem(field.data_type(), wanted.form),
            Err(_) if partitions.contains_key(&wanted.name) => columns::problem(&DataType::Utf8, wanted.form),
            Err(_) => Some("missing"),
        };
        wanted.iter().filter_map(|wanted| Some((wanted.name.clone(), problem(wanted)?))).collect()
    }

    /// The names of all columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.metadata.schema().fields().iter().map(|field| field.name().as_str())
    }

    /// Columns of a type that nothing can be made of, by name.
    pub fn nested(&self) -> Vec<String> {
        let nested = |field: &&Arc<ArrowField>| columns::nature(field.data_type()) == Nature::Nested;
        self.metadata.schema().fields().iter().filter(nested).map(|field| field.name().clone()).collect()
    }

    /// Reads one row group from a row on, only the wanted columns.
    pub fn read(&self, group: usize, from_row: u64, wanted: &[Wanted]) -> Result<Rows, Failure> {
        self.rows(group, Some(wanted), |builder| builder.with_offset(from_row as usize))
    }

    /// Reads some rows of a row group, by their ascending places in it: the wanted columns, or, of `None`, all.
    pub fn pick(&self, group: usize, rows: &[u64], wanted: Option<&[Wanted]>) -> Result<Rows, Failure> {
        let all = self.groups[group].1 as usize;
        let runs = rows.chunk_by(|a, b| a + 1 == *b).map(|run| run[0] as usize..run[run.len() - 1] as usize + 1);
        let selection = RowSelection::from_consecutive_ranges(runs, all);
        self.rows(group, wanted, |builder| builder.with_row_selection(selection))
    }

    fn rows(
        &self,
        group: usize,
        wanted: Option<&[Wanted]>,
        narrow: impl FnOnce(ParquetRecordBatchReaderBuilder<File>) -> ParquetRecordBatchReaderBuilder<File>,
    ) -> Result<Rows, Failure> {
        let schema = self.metadata.schema();
        let corrupt = |error: parquet::errors::ParquetError| failure(&error);
        let options =
            ArrowReaderOptions::new().with_skip_arrow_metadata(true).with_schema(self.hint(wanted.unwrap_or_default()));
        let build = || {
            let metadata = ArrowReaderMetadata::try_new(self.metadata.metadata().clone(), options).map_err(corrupt)?;
            let file = self.file.try_clone().map_err(|error| Failure::new("unreadable", error.to_string()))?;
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
            let mask = match wanted {
                None => ProjectionMask::all(),
                Some(wanted) => {
                    let roots = wanted.iter().filter_map(|wanted| schema.index_of(&wanted.name).ok());
                    ProjectionMask::roots(builder.parquet_schema(), roots)
                }
            };
            let builder = builder.with_projection(mask).with_row_groups(vec![group]).with_batch_size(BATCH_ROWS);
            narrow(builder).build().map_err(corrupt)
        };
        catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|_| Err(panicked())).map(Rows)
    }

    /// The smallest and the largest time of each row group, where the footer tells them: in columns of a time type, whose order is
    /// that of time.
    pub fn times(&self, column: &str) -> Vec<Option<(i64, i64)>> {
        let schema = self.metadata.schema();
        let is_time = |field: &ArrowField| {
            columns::nature(field.data_type()) == Nature::Time
                && columns::problem(field.data_type(), Form::Time).is_none()
        };
        let told = || {
            let metadata = self.metadata.metadata();
            let descriptor = metadata.file_metadata().schema_descr();
            let converter = StatisticsConverter::try_new(column, schema, descriptor).ok()?;
            let groups = metadata.row_groups();
            let ends = [converter.row_group_mins(groups).ok()?, converter.row_group_maxes(groups).ok()?];
            match ends.map(|end| columns::column(&end, Form::Time)) {
                [Column::Times(least), Column::Times(most)] => {
                    Some(least.iter().zip(&most).map(|(least, most)| least.zip(most)).collect())
                }
                _ => None,
            }
        };
        let told = schema.field_with_name(column).is_ok_and(is_time).then(|| catch_unwind(AssertUnwindSafe(told)));
        told.and_then(|told| told.ok().flatten()).unwrap_or_else(|| vec![None; self.groups.len()])
    }

    /// Names and types of all columns, as [`Rows::whole`] gives them.
    pub fn schema(&self) -> SchemaRef {
        self.hint(&[])
    }

    /// The file's own schema, with keys as dictionaries, so that their pages come out without a string a row; with ids as views, which
    /// are hashed where they stand in the page; and INT96 times in microseconds, because nanoseconds end in the year 2262 and writers
    /// know later days, `9999-12-31` first.
    fn hint(&self, wanted: &[Wanted]) -> SchemaRef {
        let schema = self.metadata.schema();
        let roots = self.metadata.metadata().file_metadata().schema_descr().root_schema().get_fields();
        let is_wanted = |name: &str, form: Form| wanted.iter().any(|wanted| wanted.name == name && wanted.form == form);
        let as_id_only = |name: &str| wanted.iter().all(|wanted| wanted.name != name || wanted.form == Form::Id);
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let fields = schema.fields().iter().zip(roots).map(|(field, root)| {
            let name = field.name();
            let hinted =
                if *field.data_type() == DataType::Utf8 && is_wanted(name, Form::Key) && !is_wanted(name, Form::Id) {
                    dictionary.clone()
                } else if *field.data_type() == DataType::Utf8 && is_wanted(name, Form::Id) && as_id_only(name) {
                    DataType::Utf8View
                } else if root.is_primitive() && root.get_physical_type() == PhysicalType::INT96 {
                    DataType::Timestamp(TimeUnit::Microsecond, None)
                } else {
                    return field.clone();
                };
            Arc::new(field.as_ref().clone().with_data_type(hinted))
        });
        Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
    }
}

fn failure(error: &dyn std::error::Error) -> Failure {
    let text = error.to_string();
    let unsupported =
        text.contains("not yet implemented") || text.starts_with("NYI") || text.contains("Disabled feature");
    Failure::new(if unsupported { "unsupported" } else { "corrupt" }, text)
}

fn panicked() -> Failure {
    Failure::new("corrupt", "its pages make no sense to the decoder")
}

/// The batches of one row group.
pub struct Rows(ParquetRecordBatchReader);

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rows")
    }
}

impl Rows {
    /// The rows as the file has them.
    pub fn whole(&mut self) -> Option<Result<RecordBatch, Failure>> {
        let decode = || Some(self.0.next()?.map_err(|error| failure(&error)));
        catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Some(Err(panicked())))
    }

    /// Row count and one column for each wanted one; `None` at the end of the row group.
    pub fn next(
        &mut self,
        wanted: &[Wanted],
        partitions: &BTreeMap<String, String>,
    ) -> Option<Result<(usize, Vec<Column>), Failure>> {
        let decode = || -> Option<Result<(usize, Vec<Column>), Failure>> {
            match self.0.next()? {
                Ok(batch) => Some(Ok((batch.num_rows(), columns_of(&batch, wanted, partitions)))),
                Err(error) => Some(Err(failure(&error))),
            }
        };
        catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Some(Err(panicked())))
    }
}

fn columns_of(batch: &RecordBatch, wanted: &[Wanted], partitions: &BTreeMap<String, String>) -> Vec<Column> {
    let array = |name: &str| -> Option<ArrayRef> {
        let found = batch.column_by_name(name).cloned();
        found.or_else(|| partitions.get(name).map(|value| columns::constant(value, batch.num_rows())))
    };
    wanted
        .iter()
        .map(|wanted| array(&wanted.name).map_or(Column::Absent, |array| columns::column(&array, wanted.form)))
        .collect()
}

/// A file being written, compressed with zstd.
pub(super) struct Writer<'a>(ArrowWriter<&'a mut File>);

impl<'a> Writer<'a> {
    pub fn new(file: &'a mut File, schema: SchemaRef) -> std::io::Result<Writer<'a>> {
        let compression = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(compression).build();
        ArrowWriter::try_new(file, schema, Some(properties)).map(Writer).map_err(std::io::Error::other)
    }

    pub fn write(&mut self, rows: &RecordBatch) -> std::io::Result<()> {
        self.0.write(rows).map_err(std::io::Error::other)
    }

    pub fn finish(self) -> std::io::Result<()> {
        self.0.close().map(drop).map_err(std::io::Error::other)
    }
}
