"""Reads a Parquet file as it should be, or says what is wrong with it."""
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import PipelineError


def read(path, schema):
    """The columns of `schema`, cast to it; raises PipelineError with the file's name."""
    try:
        with pq.ParquetFile(path) as file:
            missing = [name for name in schema.names if name not in file.schema_arrow.names]
            if missing:
                raise PipelineError(f"{path} has no column {', '.join(missing)}")
            table = file.read(columns=schema.names).select(schema.names).cast(schema, safe=False)
        table.validate(full=True)  # text that is not UTF-8 would fail much later, far from its file
        return table
    except (pa.ArrowException, OSError) as error:
        raise PipelineError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
