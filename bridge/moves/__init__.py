"""The line's durable moves, one module each; `pipeline` alone knows their order.

line.py      what one process needs to move records
planning.py  a translation → the entries that should stand in which charts
sending.py   one entry's next step: gate, shape, begin, send, finish
settling.py  one entry whose answer was lost: look, never send blind
"""
