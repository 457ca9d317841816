"""Clinical guidelines as a searchable, citable knowledge base.

Packs of documents are parsed, chunked, embedded and kept in LanceDB; passages come back with their provenance.
This room knows nothing of agents, models or prompts: the embedder is whatever satisfies `knowledge.store.Embedder`.
"""
