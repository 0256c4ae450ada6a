"""The console: where the staff of an operator configure, look after accounts, and execute and inspect runs.

A request runs in one transaction that sees one operator (middleware). A page is a function: it asks one query or
operation per component and gives values to a template. Pages need no script except for convenience, and make no
request to anywhere else (their content security policy says so).
"""
