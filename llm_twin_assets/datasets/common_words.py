"""The commonest words of four letters and more in English, German, French and Spanish: no post is about them."""

_ENGLISH = """
about above after again also another because been before being below between both cannot could does doing done down
during each even every from further have having here into itself just keep know last less like made make many maybe
might mine more most much must need never nothing only other over same shall should since some something still such
take than that that's their them then there these they thing things this those through time today under until upon
very want well were what what's when where which while will with without would year years yesterday your yours
always anyone anything around away back better come comes didn't doesn't don't everyone everything first getting
give going gone good great haven't i've it's isn't let's little long look mean nice once people please really right
said says someone soon start sure tell thank thanks think though took tried true turns used using wasn't week went
whole wish wouldn't you're
"""
_GERMAN = """
aber alle allem allen aller alles also andere anderen auch beim bereits bisher damit dann dass dein deine denen denn
deren derer diese diesem diesen dieser dieses doch dort durch eben eine einem einen einer eines einfach einmal etwas
euch eure ganz gegen genau gerade gibt habe haben hatte hatten heute hier hinter ihre ihrem ihren ihrer immer jede
jeden jeder jedes jetzt kann kein keine keinen können könnte leider machen machte mehr mein meine meinem meinen
meiner mich muss müssen nach nicht nichts noch oder ohne schon sehr sein seine seinem seinen seiner seit selbst sich
sind sogar soll sollte sondern sonst über unser unsere unter viel viele vielleicht wann waren warum weil weiter
welche wenn werde werden wieder wird wirklich wollen worden wurde wurden würde zwischen
"""
_FRENCH = """
ainsi alors après assez aucun aujourd'hui aussi autre autres avant avec avez avoir avons beaucoup bien c'est cela
celle celui cette ceux chaque chez comme comment dans depuis dernier déjà donc dont elle elles encore entre était
étaient être faire fait faut grand jamais juste leur leurs lorsque maintenant mais même mieux moins n'est nous notre
parce parfois pendant peut peux plus plutôt pour pourquoi quand quel quelle quelque quelques qu'il rien sans selon
sera seul seulement soit sont sous souvent suis tous tout toute toutes très trop vers voici voilà votre vous
vraiment
"""
_SPANISH = """
algo algunas algunos ahora además ante antes aquel aquí aunque bien cada casi como cómo contra cosa cosas cual
cuando cuándo desde después donde dónde durante ella ellas ellos entonces entre eran eres esta está estaba estado
están estar estas este esto estos estoy fuera fueron gran había hace hacer hacia hasta hemos incluso luego menos
mientras mismo mucha mucho muchos nada nadie ningún nosotros nuestra nuestro nunca otra otras otro otros para pero
poco podemos poder porque puede pueden pues quien quién según sería siempre sido siendo sino sobre solo sólo somos
también tanto tiene tienen tengo todas todavía todo todos tras usted varios veces
"""

COMMON_WORDS = frozenset(f"{_ENGLISH}{_GERMAN}{_FRENCH}{_SPANISH}".split())
