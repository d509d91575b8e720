"""Judged words asked by BM25 of a Milvus Lite, over titles, categories and colours as they stand: what decision 21
compares with.

    python benchmarks/bm25_words.py ../shared/data
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench_relevance import FIRST, OWN, Answer, gain, read_judged, read_offers, table
from fit_score import read_rows
from pymilvus import DataType, Function, FunctionType, MilvusClient

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from servers import run_milvus

NAME = "names"


def fill(client: MilvusClient, data: Path) -> None:
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("number", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, enable_analyzer=True)
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, input_field_names=["text"], output_field_names=["bm25"]))
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_collection(NAME, schema=schema, index_params=indexes)
    offers = list(read_offers(read_rows(data / "products" / "products.csv")))
    texts = [(int(each.id), f"{each.title} {each.category} {each.color} {each.audience}") for each in offers]
    for at in range(0, len(texts), 1000):
        client.insert(NAME, [{"number": number, "text": text} for number, text in texts[at : at + 1000]])
    client.flush(NAME)
    client.load_collection(NAME)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    rows = {row["id"]: row for row in read_rows(data / "products" / "products.csv")}
    answers = []
    with tempfile.TemporaryDirectory() as folder, run_milvus(Path(folder)) as milvus:
        client = MilvusClient(milvus.url)
        fill(client, data)
        for file in (data / "relevance" / "words.csv", OWN):
            for query in read_judged(file):
                hits = client.search(NAME, data=[query.text], anns_field="bm25", limit=FIRST, output_fields=["number"])
                gains = tuple(gain(query, rows[str(hit["number"])]) for hit in hits[0])
                possible = min(FIRST, sum(gain(query, row) for row in rows.values()))
                group = f"{file.stem} {query.group}"
                answers.append(Answer(group, query.text, sum(gains) / max(1.0, possible), gains))
    print(table(answers))


if __name__ == "__main__":
    main()
