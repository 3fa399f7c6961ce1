# ruff: noqa: E501, RUF001 -- a file is a line, and some are in other alphabets.
r"""Small files as they are found, each with its truth: how it is written and what it holds.

A file's `kinds` has a letter for each column:

- n: numbers that csvfeed reads without being told; c: the same float32 in every row; -: no values
- f: numbers in a form that `numbers` must name; b: booleans; d: dates; u: durations, times of day
- t: text

`rows` counts the rows that can be read, `bad` those that cannot. `written` has the arguments that
differ from the usual, `beyond` those that only `csvfeed inspect` detects.
"""

from dataclasses import dataclass, field
from typing import Any

import csvfeed

NUMBERS = "nc-"
"""Letters of columns that csvfeed reads as numbers without being told anything."""


@dataclass(frozen=True)
class File:
    """A file and the truth about it."""

    name: str
    kinds: str
    rows: int
    content: bytes
    written: dict[str, Any] = field(default_factory=dict)
    bad: int = 0
    beyond: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self):
        """The arguments with which a dataset reads the file."""
        return {**self.written, **self.beyond}


FILES: list[File] = []


def add(name, kinds, rows, text, *, bad=0, beyond=None, **written):
    """Add a file to the corpus."""
    content = text if isinstance(text, bytes) else text.encode()
    FILES.append(File(name, kinds, rows, content, {"header": True, **written}, bad, beyond or {}))


def attempt(read, *arguments, **options):
    """Return what a call returns, or the error that it raises."""
    try:
        return read(*arguments, **options)
    except csvfeed.CsvError as error:
        return error


def comparable(options, file):
    """Return options without those that make no difference to a file."""
    # Whatever does not occur makes one column of everything.
    ignored = {"delimiter"} if len(file.kinds) == 1 else set()
    return {name: value for name, value in options.items() if name not in ignored}


def is_among_choices(error, file):
    """Whether a question offers the right way, and names the arguments that choose it."""
    truth = comparable(file.written, file)
    offered = [comparable(choice.dialect.options, file) for choice in error.choices]
    named = [name for name in truth if name != "header"]
    return truth in offered and all(f"{name}=" in str(error) for name in named)


# Plain tables with commas

add("measured", "nnn", 3, "x,y,z\n1,2.5,3\n4,5.25,6\n7,8.125,9\n")
add("no header", "nnn", 3, "5.1,3.5,0\n4.9,3.0,0\n6.2,2.9,1\n", header=False)
add("two rows", "cc", 1, "a,b\n1,2\n")
add("a header alone", "ttt", 0, "id,name,price\n")
add("one row of numbers", "ccc", 1, "1,2,3\n", header=False)
add("no newline at the end", "nn", 2, "a,b\n1,2\n3,4")
add("CRLF", "nnt", 2, "id,n,city\r\n1,2,Rome\r\n2,3,Oslo\r\n")
add("mixed line ends", "nn", 4, "a,b\r\n1,2\n3,4\r\n5,6\n7,8\n")
add("blank lines", "nn", 3, "a,b\n\n1,2\n\n3,4\n5,6\n\n")
add("byte-order mark", "nt", 2, "\ufeffid,ort\n1,Köln\n2,Ulm\n")
add(
    "scientific",
    "nnn",
    2,
    "1.000e+00,8.69e-01,-6.35e-01\n0.0e+00,9.07e-01,3.29e-01\n",
    header=False,
)
add("missing here and there", "nnn", 4, "a,b,c\n1,,3\n4,NA,6\n,8,nan\n?,11,12\n")
add("mostly missing", "n-n", 4, "a,b,c\n1,,\n2,,\n3,,7\n4,,\n")
add(
    "iris",
    "nnnnt",
    4,
    "5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n7.0,3.2,4.7,1.4,Iris-versicolor\n6.3,3.3,6.0,2.5,Iris-virginica\n",
    header=False,
)
add("abalone", "tnnn", 3, "M,0.455,0.365,15\nF,0.53,0.42,9\nI,0.33,0.255,7\n", header=False)
add(
    "titanic",
    "nnttnn",
    3,
    'PassengerId,Survived,Name,Sex,Age,Fare\n1,0,"Kelly, Mr. James",male,34.5,7.8292\n2,1,"Wirz, Mrs. Albert (Ida)",female,27,8.6625\n3,1,"Connolly, Miss ""Kate""",female,,7.6292\n',
)
add("spaces after commas", "nnn", 3, "a, b, c\n1, 2, 3\n4, 5, 6\n7, 8, 9\n")
add(
    "adult",
    "ntnt",
    3,
    "39, State-gov, 77516, <=50K\n50, Self-emp-not-inc, 83311, <=50K\n38, Private, 215646, >50K\n",
    header=False,
)
add(
    "names with spaces",
    "nnc",
    2,
    "sepal length (cm),sepal width (cm),class\n5.1,3.5,0\n4.9,3.1,0\n",
)
add(
    "trips",
    "nddnn",
    2,
    "id,pickup,dropoff,lon,lat\n1,2016-03-14 17:24:55,2016-03-14 17:32:30,-73.982155,40.767937\n2,2016-06-12 00:43:35,2016-06-12 00:54:38,-73.980415,40.738564\n",
)
add(
    "a date column",
    "dn",
    3,
    "date,close\n2020-01-02,300.35\n2020-01-03,297.43\n2020-01-06,299.80\n",
)
add(
    "american dates",
    "dnn",
    2,
    "Date,Open,Volume\n1/2/2020,300.35,33870100\n1/3/2020,297.43,36580700\n",
)
add("months by name", "dn", 2, "day,births\n06-Jan-2013,12\n07-Jan-2013,15\n")
add(
    "iso times",
    "dnn",
    2,
    "at,temp,hum\n2021-06-01T00:00:00Z,21.5,0.43\n2021-06-01T00:05:00Z,21.4,0.44\n",
)
add("times of day", "un", 3, "time,n\n08:30,5\n09:00,7\n12:15,9\n")
add(
    "ip addresses",
    "ttn",
    3,
    "src,dst,bytes\n10.0.0.1,192.168.1.7,512\n10.0.0.2,192.168.1.9,90\n10.0.0.1,8.8.8.8,77\n",
)
add("versions", "ttn", 2, "package,version,downloads\nnumpy,1.26.4,100\nscipy,1.11.0rc1,50\n")
add("phone numbers", "ttn", 2, "name,phone,age\nAnn,(555) 123-4567,30\nBob,+1 555 987 6543,41\n")
add(
    "coordinates in one field",
    "ttn",
    2,
    'place,position,n\nA,"52.52, 13.40",1\nB,"48.14, 11.58",2\n',
)
add("urls", "tn", 2, "url,hits\nhttps://example.org/a?b=1&c=2,10\nhttp://example.org/x;y=1,7\n")
add("emails", "tn", 2, "mail,score\nann@example.org,1.5\nbob.b@example.com,2\n")
add(
    "uuids",
    "tn",
    2,
    "id,n\n1b4e28ba-2fa1-11d2-883f-0016d3cca427,1\n6fa459ea-ee8a-3ca4-894e-db77e160355e,2\n",
)
add(
    "json in a field",
    "ntn",
    2,
    'id,meta,y\n1,"{""a"": 1, ""b"": [1, 2]}",0\n2,"{""a"": 2, ""b"": []}",1\n',
)
add("lists in a field", "ntn", 2, "id,tags,y\n1,a|b|c,0\n2,b|c,1\n")
add(
    "lists with semicolons",
    "ntn",
    3,
    "id,genres,y\n1,drama;war,0\n2,comedy;drama;crime,1\n3,war,1\n",
)
add("postal codes", "tnn", 2, "zip,n,m\nSW1A 1AA,1,2\nEC1A 1BB,3,4\n")
add("apostrophes", "tn", 3, "word,n\ndon't,1\n'tis,2\nrock 'n' roll,3\n")
add("inches", "nt", 2, "x,height\n1,6'2\"\n2,5'11\"\n")
add("windows paths", "tn", 2, "path,size\nC:\\temp\\new.txt,10\nC:\\Users\\x\\a.csv,20\n")
add("booleans", "tbn", 2, "id,late,n\na,true,1\nb,false,2\n")
add("percent", "tfn", 2, "city,share,n\nRome,12.5%,1\nOslo,7.25%,2\n")
add(
    "dollars",
    "tffn",
    2,
    'item,price,tax,n\npen,"$1,234.50",$2.10,1\ncup,"$2,234.00",$0.35,2\n',
    thousands=",",
)
add("quoted everywhere", "nnt", 2, '"id","n","name"\n"1","2","x"\n"3","4","y, z"\n')
add(
    "multi-line text",
    "ntn",
    3,
    'id,text,y\n1,"first line\nsecond, line",0\n2,"one",1\n3,"a\n\nb",0\n',
)
add("csv in a quoted field", "nt", 2, 'id,text\n1,"a;b;c\nd;e;f\n"\n2,"x;y;z\n"\n')
add("html in a field", "nt", 2, 'id,html\n1,"<a href=""x"">y, z</a>"\n2,"<b>w</b>"\n')
add("reviews", "tn", 3, 'review,stars\n"Good, very good. Really!",5\nBad,1\n"So; so",3\n')
add("emoji", "tn", 2, "text,n\n👍 fine,1\nnaïve café,2\n")
add("chinese", "tn", 2, "名称,数量\n苹果,10\n橙子,20\n")
add("cyrillic", "tn", 2, "город,население\nМосква,12655050\nКазань,1257341\n")
add(
    "wide",
    "c" + "n" * 39,
    3,
    "\n".join(
        [
            ",".join(f"pixel{i}" for i in range(40)),
            *[",".join(str(i * k % 256) for i in range(40)) for k in (1, 3, 7)],
        ]
    )
    + "\n",
)
add(
    "years as names",
    "tnnn",
    3,
    "country,2010,2011,2012\nUS,5.1,6.2,7.5\nFR,1.5,2.5,3.5\nDE,9.1,8.2,7.2\n",
)
add(
    "a footer",
    "tnn",
    5,
    "dept,budget,spent\nParks,100,90\nPolice,200,210\nFire,300,280\nRoads,150,150\nSchools,900,880\nTotal,1650,1610\n",
    beyond={"skip_footer": 1},
)
add(
    "thousands with quotes",
    "tnn",
    2,
    'state,n,m\nCA,"12,345","6,789"\nTX,"9,876","5,432"\n',
    thousands=",",
)
add(
    "thousands and decimals",
    "tn",
    3,
    'dept,budget\nParks,"1,234,567.89"\nPolice,"98,765.40"\nFire,120.00\n',
    thousands=",",
)
add(
    "census",
    "tnn",
    3,
    'county,pop,area\nAlpha,"1,015,234",12\nBeta,"98,210",7.5\nGamma,845,3\n',
    thousands=",",
)
add("an index from pandas", "ntn", 3, ",name,score\n0,a,1.5\n1,b,2.5\n2,c,3.5\n")
add("an array from pandas", "nnn", 3, ",0,1\n0,0.5,1.5\n1,2.5,3.5\n2,4.5,5.5\n")
add("R with row names", "ntn", 3, '"","name","h"\n"1","ann",1.62\n"2","bob",NA\n"3","cy",1.8\n')
add("R without a name for them", "tnnn", 3, "x,y,z\na,1,2,3\nb,4,5,6\nc,7,8,9\n")
add(
    "R, names in quotes",
    "tnn",
    3,
    '"mpg","cyl"\n"Mazda RX4",21,6\n"Datsun 710",22.8,4\n"Valiant",18.1,6\n',
)
add(
    "R with spaces",
    "ntnn",
    3,
    '"id" "n" "m"\n"1" "a" 5 1.5\n"2" "b" 6 2.5\n"3" "c" 7 3.5\n',
    delimiter=" ",
)
add("short row", "nn", 2, "a,b\n1,2\n3\n4,5\n", bad=1)
add("long row", "nn", 4, "a,b\n1,2\n3,4,5\n6,7\n8,9\n10,11\n", bad=1)
add(
    "sensor log",
    "cnnn",
    4,
    "timestamp,ax,ay,az\n1609459200000,0.01,-0.98,0.12\n1609459200020,0.02,-0.97,0.11\n1609459200040,0.01,-0.99,0.13\n1609459200060,0.00,-0.98,0.12\n",
)
add(
    "chess",
    "tttt",
    4,
    "white,black,result,opening\nann,bob,1-0,Sicilian\nbob,cy,0-1,French\ncy,ann,1/2-1/2,Slav\nann,cy,1-0,French\n",
)
add("all words, no header", "ttt", 5, "x,s,n\nx,s,y\nb,s,w\nx,y,w\nb,s,n\n", header=False)
add("genome", "tntt", 3, "chrom,pos,ref,alt\nchr1,10177,A,AC\nchr1,10352,T,TA\nchrX,10616,CCG,C\n")
add("old infinities", "fn", 3, "x,n\n1.5,1\n1.#INF,2\n-1.#IND,3\n")
add("MySQL null", "nn", 3, "id,n\n1,\\N\n2,5\n3,\\N\n")

# Semicolons

add(
    "german",
    "tnn",
    3,
    "ort;preis;menge\nBonn;1,50;2\nUlm;2,75;3\nKiel;10,00;4\n",
    delimiter=";",
    decimal=",",
)
add(
    "german with thousands",
    "tn",
    3,
    "ort;umsatz\nBonn;1.234,50\nUlm;2,75\nKiel;1.010.000,00\n",
    delimiter=";",
    decimal=",",
    thousands=".",
)
add(
    "german whole thousands",
    "tnn",
    3,
    "ort;einwohner;quote\nBonn;329.673;1,5\nUlm;126.405;2,5\nKiel;246.243;0,5\n",
    delimiter=";",
    decimal=",",
    thousands=".",
)
add(
    "german millions",
    "tn",
    3,
    "land;einwohner\nA;1.234.567\nB;17.932.651\nC;8.012\n",
    delimiter=";",
    decimal=",",
    thousands=".",
)
add(
    "german dates",
    "dn",
    3,
    "datum;wert\n06.01.2013;1,5\n07.01.2013;2,5\n31.12.2013;3,25\n",
    delimiter=";",
    decimal=",",
)
add(
    "german latin-1",
    "tn",
    2,
    "straße;größe\nMüllerstraße;1,5\nÄußere Gasse;2,5\n".encode("latin-1"),
    encoding="latin-1",
    delimiter=";",
    decimal=",",
)
add(
    "french",
    "tn",
    3,
    "ville;population\nParis;2 165 423\nLyon;522 250\nNantes;998\n",
    delimiter=";",
    thousands=" ",
)
add(
    "french decimals",
    "tn",
    3,
    "ville;part\nParis;12 165,42\nLyon;22,25\nNantes;1 998,5\n",
    delimiter=";",
    decimal=",",
    thousands=" ",
)
add(
    "swiss",
    "tn",
    3,
    "ort;betrag\nBern;1'234.50\nGenf;2'000'000.00\nChur;15.75\n",
    delimiter=";",
    thousands="'",
)
add(
    "wine quality",
    "nnn",
    3,
    '"fixed acidity";"pH";"quality"\n7.4;3.51;5\n7.8;3.2;5\n11.2;3.16;6\n',
    delimiter=";",
)
add(
    "bank marketing",
    "ntbn",
    3,
    '"age";"job";"y";"balance"\n30;"unemployed";"no";1787\n33;"services";"no";4789\n35;"management";"yes";1350\n',
    delimiter=";",
)
add(
    "commas in text",
    "ntn",
    3,
    "id;text;y\n1;Hello, world;0\n2;Yes, no, maybe;1\n3;Bye;0\n",
    delimiter=";",
)
add("semicolons, dots", "nnn", 3, "a;b;c\n1.5;2.25;3\n4.5;5.125;6\n7;8;9.75\n", delimiter=";")
add("semicolons, integers", "nn", 3, "x;y\n1;2\n3;4\n5;6\n", delimiter=";")
add("sep=", "nt", 2, "sep=;\nid;name\n1;a\n2;b\n", delimiter=";")
add("sep= of excel", "nn", 2, "SEP=;\r\nx;y\r\n1,5;2\r\n2,5;3\r\n", delimiter=";", decimal=",")
add(
    "power consumption",
    "dunn",
    3,
    "Date;Time;Active;Voltage\n16/12/2006;17:24:00;4.216;234.84\n16/12/2006;17:25:00;5.36;233.63\n16/12/2006;17:26:00;5.374;233.29\n",
    delimiter=";",
)
add(
    "italian",
    "tnn",
    2,
    "comune;superficie;abitanti\nRoma;1.287,36;2.783.809\nMilano;181,67;1.371.498\n",
    delimiter=";",
    decimal=",",
    thousands=".",
)
add("negative decimals", "nn", 3, "t;v\n0;-1,25\n1;-0,5\n2;3,75\n", delimiter=";", decimal=",")
add(
    "no header, decimal commas",
    "nn",
    3,
    "1,5;2,5\n3,5;4,5\n5,25;6,5\n",
    delimiter=";",
    decimal=",",
    header=False,
)
add("scientific commas", "nn", 2, "x;y\n1,5e-3;2\n2,5E+4;3\n", delimiter=";", decimal=",")
add("quoted semicolons", "ntn", 2, 'id;text;y\n1;"a; b; c";0\n2;"d";1\n', delimiter=";")
add("empty columns", "n--n", 3, "a;b;c;d\n1;;;2\n3;;;4\n5;;;6\n", delimiter=";")

# Tabs

add("tabs", "nnn", 3, "a\tb\tc\n1\t2\t3\n4\t5\t6\n7\t8\t9\n", delimiter="\t")
add(
    "tabs, text with commas",
    "nt",
    3,
    "id\ttext\n1\tHello, world\n2\tYes, no, maybe\n3\tBye\n",
    delimiter="\t",
)
add("tabs, apostrophes", "tn", 2, "t\tn\nBoys' Town\t1\nBurn 'Em Up\t2\n", delimiter="\t")
add(
    "tabs, quotes that mean nothing",
    "tn",
    4,
    't\tn\n"Best" of\t1\nThe 5" pipe\t2\n"A" and "B"\t3\nplain\t4\n',
    delimiter="\t",
    quote=None,
)
add(
    "tabs, two words",
    "tn",
    3,
    "name\tn\nJohn Smith\t1\nJane Doe\t2\nMax Muster\t3\n",
    delimiter="\t",
)
add("tabs, decimal commas", "nn", 3, "x\ty\n1,5\t2\n2,25\t3\n0,5\t4\n", delimiter="\t", decimal=",")
add("tabs, missing", "nnn", 3, "a\tb\tc\n1\t\t3\n4\t5\t\n\t8\t9\n", delimiter="\t")
add(
    "sms",
    "tt",
    4,
    "ham\tGo until jurong point, crazy..\nham\tOk lar... Joking wif u oni...\nspam\tFree entry in 2 a wkly comp\nham\tU dun say so early hor\n",
    delimiter="\t",
    header=False,
)
add("hive with tabs", "ntn", 3, "1\tann\t\\N\n2\tbob\t5\n3\tcy\t6\n", delimiter="\t", header=False)
add(
    "mysqldump",
    "ttn",
    3,
    "1x\ta\\\n\\\tb\t\\N\n2x\tc\t5\n3x\te\t6\n",
    delimiter="\t",
    escape="\\",
    header=False,
)
add(
    "seeds, aligned with tabs",
    "nnn",
    3,
    "15.26\t14.84\t1\n14.88\t14.57\t1\n14.29\t14.09\t2\n",
    delimiter="\t",
    header=False,
)
add(
    "dictionary of words",
    "tnn",
    3,
    'ngram\tyear\tcount\nanalysis,\t1991\t5\n"analysis\t1992\t7\nof a\t1993\t2\n',
    delimiter="\t",
    quote=None,
)

# Pipes and others

add("pipes", "nnt", 2, "id|n|name\n1|2|a, b\n2|3|c; d\n", delimiter="|")
add("pipes, no header", "ntt", 3, "1|low|M\n2|high|F\n3|low|M\n", delimiter="|", header=False)
add(
    "movielens users",
    "nntt",
    3,
    "1|24|M|technician\n2|53|F|other\n3|23|M|writer\n",
    delimiter="|",
    header=False,
)
add(
    "pipes with dates",
    "dnn",
    2,
    "day|lo|hi\n2020-01-01|1.5|2.5\n2020-01-02|1.25|2.75\n",
    delimiter="|",
)
add(
    "hive default",
    "ntn",
    3,
    "1\x01ann\x010.5\n2\x01bob\x011.5\n3\x01cy\x012.5\n",
    delimiter="\x01",
    header=False,
)
add("hive with header", "nn", 2, "a\x01b\n1\x012\n3\x01\\N\n", delimiter="\x01")
add("carets", "nnt", 3, "a^b^c\n1^2^x\n3^4^y\n5^6^z\n", delimiter="^")
add("tildes", "nnt", 3, "a~b~c\n1~2~x, y\n3~4~y\n5~6~z\n", delimiter="~")
add("colons", "ttnn", 3, "root:x:0:1\ndaemon:x:1:5\nbin:x:2:7\n", delimiter=":", header=False)
add("single quotes", "ntn", 3, "id,name,n\n1,'Smith, John',5\n2,'O''Neil',6\n3,'x',7\n", quote="'")
add(
    "escaped quotes",
    "ntn",
    3,
    'id,text,n\n1,"say \\"hi\\", ok",5\n2,"x",6\n3,"a \\"b\\" c",7\n',
    escape="\\",
)
add("escaped commas", "ntn", 3, "id,text,n\n1,a\\,b,5\n2,c,6\n3,d\\,e\\,f,7\n", escape="\\")

# Spaces

add(
    "aligned",
    "nnn",
    3,
    "   x    y    z\n 1.5   20    3\n 4.5    5  600\n   7   80   9\n",
    delimiter=" ",
)
add(
    "savetxt",
    "nn",
    3,
    "1.000000e+00 5.000000e-01\n-2.000000e+00 inf\n3.5e+00 nan\n",
    delimiter=" ",
    header=False,
)
add(
    "savetxt with a header",
    "nn",
    2,
    "# x y\n1.000e+00 5.000e-01\n-2.000e+00 1.5e+00\n",
    delimiter=" ",
    comment="#",
    header=False,
)
add(
    "auto-mpg without names",
    "nnnn",
    3,
    "18.0   8   307.0      130.0\n15.0   8   350.0      165.0\n24.0   4   113.0      95.00\n",
    delimiter=" ",
    header=False,
)
add(
    "uci har",
    "nnn",
    3,
    "  2.8858451e-001 -2.0294171e-002 -1.3290514e-001\n  2.7841883e-001 -1.6410568e-002 -1.2352019e-001\n  2.7965306e-001 -1.9467156e-002 -1.1346169e-001\n",
    delimiter=" ",
    header=False,
)
add("space and header", "nnn", 3, "x y z\n1 2 3\n4 5 6\n7 8 9\n", delimiter=" ")
add(
    "gnuplot",
    "nnn",
    3,
    "# time v1 v2\n# s m m\n0 1.5 2.5\n1 1.75 2.25\n2 2.0 2.125\n",
    delimiter=" ",
    comment="#",
    header=False,
)
add(
    "log with times",
    "dun",
    3,
    "2021-01-01 10:00:00 5.5\n2021-01-01 10:00:05 6.25\n2021-01-01 10:00:10 5.75\n",
    delimiter=" ",
    header=False,
)
add(
    "text in aligned columns",
    "tnn",
    3,
    "name   age  score\nann     30    1.5\nbob      4   22.5\ncy      55    3.0\n",
    delimiter=" ",
)

# Spaces beside quotes

add(
    "a space before quotes",
    "ntn",
    3,
    'x,city,y\n1, "Paris, TX", 0\n2, "Rome", 1\n3, "Oslo", 0\n',
    skip_initial_space=True,
)
add(
    "a space after quotes",
    "ntn",
    3,
    'x,city,y\n1,"Paris, TX" ,0\n2,"Rome" ,1\n3,"Oslo" ,0\n',
    skip_final_space=True,
)
add(
    "spaces on both sides of quotes, CRLF",
    "tnn",
    2,
    '"city, state" , "n" , "m" \r\n"Paris, TX" , "1" , "2" \r\n"Rome" , "3" , "4" \r\n',
    skip_initial_space=True,
    skip_final_space=True,
)
add(
    "a space before quoted names alone",
    "nn",
    3,
    '"a, b", "c"\n1, 2\n3, 4\n5, 6\n',
    skip_initial_space=True,
)
add(
    "a tab before quotes, semicolons",
    "nt",
    3,
    'n;ort\n1,5;\t"Ulm; Donau"\n2,5;\t"Kiel"\n3,5;\t"Bonn"\n',
    delimiter=";",
    decimal=",",
    skip_initial_space=True,
)
add("quotes beside spaces within quotes", "nt", 2, 'a,b\n1,"said ""hi"" , and"\n2,"b, ""c"""\n')
add("inches with a space", "tn", 3, 'name,n\nnail 5",1\nnail 6" ,2\nscrew 7",3\n')
add("one column of quotations", "t", 2, 'text\nHe said, "no"\nShe, "well"\n', delimiter=";")

# One column

add("one column of numbers", "n", 3, "x\n1\n2.5\n3\n")
add("one column, no header", "n", 3, "1\n2\n3\n", header=False)
add("names of people", "t", 3, "name\nJohn Smith\nJane Doe\nMax Muster\n")
add("times alone", "d", 2, "a\n2020-01-01 01:02:03\n2020-01-02 04:05:06\n")
add("words", "t", 4, "word\napple\nbanana\ncherry\ndate\n")
add(
    "sentences",
    "t",
    3,
    "comment\nThis is fine.\nNot bad at all, really.\nI would not buy it again\n",
    delimiter=";",
)
add("decimal column", "n", 3, "value\n-1.5\n2.25\n1e-3\n")
add(
    "urls alone",
    "t",
    3,
    "url\nhttps://example.org/a\nhttps://example.org/b/c\nhttp://example.com\n",
)
add("quoted column", "t", 2, '"text"\n"a, b"\n"c"\n')

# Lines before and among the rows

add("title", "nn", 3, "Report of May\nid,value\n1,2\n3,4\n5,6\n", skip_rows=1)
add(
    "title and blank",
    "tnn",
    3,
    "City budget 2020\n\ndept,plan,spent\nParks,100,90\nPolice,200,210\nFire,300,280\n",
    skip_rows=1,
)
add(
    "title, german",
    "nn",
    3,
    "Bericht\nvom Mai\na;b\n1,5;2\n2,5;3\n3,5;4\n",
    delimiter=";",
    decimal=",",
    skip_rows=2,
)
add(
    "world bank",
    "tnn",
    3,
    "Data Source,World Development Indicators\nLast Updated,2020-07-01\n\nCountry,Population,Area\nAruba,104845,180\nAngola,29784193,1246700\nAlbania,2876101,28750\n",
    skip_rows=2,
)
add("comments above", "nn", 3, "# source: me\n# license: CC0\na,b\n1,2\n3,4\n5,6\n", comment="#")
add("comments between", "nn", 4, "a,b\n1,2\n# a pause\n3,4\n5,6\n# the end\n7,8\n", comment="#")
add("hash in the header", "tnn", 2, "#chrom,start,end\nchr1,10,20\nchr2,30,40\n")
add("hash tags", "tn", 4, "tag,n\n#ai,1\nmusic,2\n#art,3\nnews,4\n")
add(
    "matlab comments",
    "nn",
    3,
    "% made by a machine\n% x y\n1.5,2\n2.5,3\n3.5,4\n",
    comment="%",
    header=False,
)
add(
    "units row",
    "nnnt",
    3,
    "time,temp,press,site\ns,C,hPa,-\n0,21.5,1013,a\n1,21.6,1012,b\n2,21.7,1011,a\n",
    beyond={"skip_rows_after_header": 1},
)
add("a note below", "tnn", 5, "c,n,m\na,1,2\nb,3,4\nc,5,6\nd,7,8\ne,9,10\n")
add(
    "export with a legend",
    "nnn",
    3,
    "Exported by: tool 1.2\nUser: ann\nRows: 3\nx;y;z\n1;2;3\n4;5;6\n7;8;9\n",
    delimiter=";",
    skip_rows=3,
)
add(
    "thermo log",
    "unn",
    3,
    "Logger: T-100, serial 5512\ntime,t1,t2\n00:00:00,20.5,21.0\n00:00:10,20.6,21.1\n00:00:20,20.7,21.2\n",
    skip_rows=1,
)

# Whether the first row is a header

add("years as names, two", "tnn", 3, "country,2010,2011\nUS,5.1,6.2\nFR,1.5,2.5\nDE,9.1,8.2\n")
add("years as values", "tnn", 3, "ann,1990,2010\nbob,1985,2001\ncy,2000,2020\n", header=False)
add(
    "wavelengths",
    "tnnn",
    3,
    "sample,400,402.5,405\na,0.1,0.2,0.15\nb,0.3,0.2,0.25\nc,0.2,0.1,0.2\n",
)
add(
    "doses",
    "tnnnn",
    3,
    "gene,1,2,5,10\na,0.1,0.2,0.15,0.5\nb,0.3,0.4,0.25,0.45\nc,0.1,0.2,0.3,0.5\n",
)
add("numbers that count, no header", "tnnn", 3, "a,1,2,3\nb,4,5,6\nc,7,8,9\n", header=False)
add("weeks as names", "tnnnn", 3, "shop,1,2,3,4\na,5,3,8,1\nb,2,7,1,9\nc,4,4,6,3\n")
add("labels after numbers", "nnb", 4, "2.5,0,yes\n1.5,1,no\n2.0,0,yes\n3.5,2,no\n", header=False)
add(
    "words and a date, no header",
    "tdn",
    3,
    "ann,2020-01-02,5\nbob,2020-01-03,6\nann,2020-01-04,7\n",
    header=False,
)
add("percentages, no header", "tfn", 3, "a,12.5%,5\nb,7.25%,6\nc,99%,8\n", header=False)
add(
    "a spectrum without names",
    "tnnnn",
    3,
    "a,0.1,0.2,0.3,0.5\na,0.2,0.1,0.4,0.3\nb,0.3,0.2,0.1,0.6\n",
    header=False,
)
add("a class as name, and a number", "tnt", 3, "class,100,label\na,0,x\nb,1,y\nc,1,z\n")
add(
    "categories below a word and numbers",
    "tnn",
    8,
    "city,20,5\na,20,3\na,10,4\na,30,5\na,1,6\nb,1,7\nb,9,9\nb,6,3\nb,5,2\n",
)

add("a number as name, within its column", "tn", 3, "species,5\nsetosa,3\nvirginica,9\nlyrata,5\n")
add("a word and a number as names", "nn", 3, "x,1\n4,2\n5,0\n6,3\n")
add("a name that is also a value", "ttt", 4, "a,b,c\nx,b,u\ny,q,v\nz,b,w\nt,s,r\n")
add("a header that comes again", "ttt", 4, "kind,size,hue\nx,y,z\nu,v,w\nkind,size,hue\nr,s,q\n")
add("a name that comes again beside numbers", "tnt", 3, "a,7,b\na,5,x\nc,9,y\nd,2,z\n")
add("numbered columns from 1", "nnn", 3, "1,2,3\n5,1,9\n2,2,7\n4,0,3\n")
add("numbered columns of fractions", "nn", 3, "0,1\n0.5,1.25\n2.75,0.125\n1.5,3.5\n")
add("years over numbers", "nnn", 3, "1990,2000,2010\n5,11,9\n2,12,7\n4,10,3\n")
add("a wrong value in the first row", "tnnn", 3, "u,?,5.5,3\nv,2,6.5,1\nw,3,7.5,2\n", header=False)
add(
    "an index without a name, and words",
    "ntt",
    3,
    ",name,city\n0,ann,Rome\n1,bob,Oslo\n2,cy,Bonn\n",
)
add("a number above words", "t", 5, "1950\nred\nblue\nred\nblue\nred\n")
add(
    "one of two names is also a value",
    "tt",
    4,
    "colour,low\nred,low\nblue,high\nred,low\nblue,high\n",
)
add("a truth table", "nn", 4, "0,0\n0,1\n1,0\n1,1\n", header=False)
add("dates in each row", "dn", 3, "2020-01-01,5\n2020-01-02,7\n2020-01-03,6\n", header=False)

# Ends of lines and of files

add("CR alone", "nnt", 3, "id,n,city\r1,2.5,Rome\r2,3.5,Oslo\r3,1.25,Bonn\r")
add(
    "CR alone, semicolons",
    "tn",
    3,
    "ort;wert\rUlm;1,5\rKiel;2,5\rBonn;0,25\r",
    delimiter=";",
    decimal=",",
)
add("a delimiter after each row", "nnt", 3, "id,n,city,\n4,2.5,Rome,\n2,3.5,Oslo,\n3,1.25,Bonn,\n")
add(
    "a delimiter after each row of data",
    "nnt",
    3,
    "id,n,city\n4,2.5,Rome,\n2,3.5,Oslo,\n3,1.25,Bonn,\n",
)
add(
    "pipes at the end",
    "ntn",
    3,
    "1|low|2.5|\n2|high|1.5|\n4|low|0.5|\n",
    delimiter="|",
    header=False,
)
add("Ctrl-Z and NULs", "nn", 2, "a,b\n1,2\n3,4\n\x1a\0\0\0")
add("a mark among the rows", "nn", 4, "a,b\n1,2\n3,4\n\ufeff5,6\n7,8\n")

# Numbers in other forms

add("hexadecimal", "fn", 3, "address,n\n0x1F,1\n0x2A,2\n0xFF,4\n")
add("exponents of Fortran", "fn", 3, "x,n\n1.5D+03,1\n2.5D-02,2\n-3.0D+00,4\n")
add("losses in parentheses", "tf", 3, "year,profit\nfirst,(5.00)\nsecond,7.50\nthird,(1.25)\n")
add("durations beyond a day", "un", 3, "time,n\n125:03:07,1\n26:15:00,2\n3:00:59,4\n")
