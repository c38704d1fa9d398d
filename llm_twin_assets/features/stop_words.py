"""English words that carry no topic: in a question they outweigh, by their number, the words that do.

Articles, pronouns, auxiliaries, prepositions and question words; nothing that names a thing.
"""

_WORDS = """
a about above after again against all also am an and any are as at be because been before being below between both
but by can could did do does doing don down during each either else ever every few for from further get gets give
had has have having he her here hers herself him himself his how i if in into is isn it its itself just ll let me
might mine more most much must my myself no nor not of off on once only or other our ours ourselves out over own
please re s same shall she should so some such t tell than that the their theirs them themselves then there these
they this those through to too under until up upon us ve very was we were what when where whether which while who
whom whose why will with within without would you your yours yourself yourselves
"""

STOP_WORDS = frozenset(_WORDS.split())
