"""Engines that find products by words: one contract, tantivy in a folder and Milvus over the network."""
