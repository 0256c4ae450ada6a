"""The REST API, version 1: one module of `routes` per resource, all else is what every resource does alike.

A request comes in with a bearer token (`access`), is counted (`access`), is read and checked against the declared
parameters and body (`resource`, `values`), and answered from the same operations and queries as the command line's, in
one transaction of its operator. Whatever is refused is a problem by RFC 9457 (`problems`). `document` is what the API
says of itself. docs/api.md is for those who call it.
"""
