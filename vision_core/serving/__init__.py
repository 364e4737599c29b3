"""The networks in another process or on another machine: what travels, who answers, who asks.

Nothing here needs Ray but ``deployment``, and nothing is ever unpickled.
"""
