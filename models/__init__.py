"""Weights and the machines that run them: registry, weight store, llama.cpp engine, chat client, embedder.

Knows nothing of agents, guidelines or transcripts.
"""
