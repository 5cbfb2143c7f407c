"""The table of languages, a line each; data/languages.py reads it."""

# code     of BCP 47; a region or script behind it (es-419, zh-CN) has the same line.
# unit     word: spaces stand between words, errors are counted in words (WER).
#          character: no spaces do, errors are counted in characters (CER).
# bleu     sacrebleu's tokeniser: its own for Chinese, Japanese and Korean, whose endings
#          are written together with the word; char where nobody writes spaces.
# rules    of the normaliser, see score/normalize.py: dotless is basic for languages that
#          write ı and i, with the capitals I and İ.
# whisper  the code by which Whisper knows it, -: it does not.
TABLE = """
af   word       13a       basic    af   Afrikaans
am   word       13a       basic    am   Amharic
ar   word       13a       basic    ar   Arabic
as   word       13a       basic    as   Assamese
az   word       13a       dotless  az   Azerbaijani
ba   word       13a       basic    ba   Bashkir
be   word       13a       basic    be   Belarusian
bg   word       13a       basic    bg   Bulgarian
bn   word       13a       basic    bn   Bengali
bo   character  char      basic    bo   Tibetan
br   word       13a       basic    br   Breton
bs   word       13a       basic    bs   Bosnian
ca   word       13a       basic    ca   Catalan
cs   word       13a       basic    cs   Czech
cy   word       13a       basic    cy   Welsh
da   word       13a       basic    da   Danish
de   word       13a       basic    de   German
el   word       13a       basic    el   Greek
en   word       13a       english  en   English
es   word       13a       basic    es   Spanish
et   word       13a       basic    et   Estonian
eu   word       13a       basic    eu   Basque
fa   word       13a       basic    fa   Persian
fi   word       13a       basic    fi   Finnish
fil  word       13a       basic    tl   Filipino
fo   word       13a       basic    fo   Faroese
fr   word       13a       basic    fr   French
gl   word       13a       basic    gl   Galician
gu   word       13a       basic    gu   Gujarati
ha   word       13a       basic    ha   Hausa
haw  word       13a       basic    haw  Hawaiian
he   word       13a       basic    he   Hebrew
hi   word       13a       basic    hi   Hindi
hr   word       13a       basic    hr   Croatian
ht   word       13a       basic    ht   Haitian Creole
hu   word       13a       basic    hu   Hungarian
hy   word       13a       basic    hy   Armenian
id   word       13a       basic    id   Indonesian
is   word       13a       basic    is   Icelandic
it   word       13a       basic    it   Italian
ja   character  ja-mecab  basic    ja   Japanese
jv   word       13a       basic    jw   Javanese
ka   word       13a       basic    ka   Georgian
kk   word       13a       basic    kk   Kazakh
km   character  char      basic    km   Khmer
kn   word       13a       basic    kn   Kannada
ko   word       ko-mecab  basic    ko   Korean
la   word       13a       basic    la   Latin
lb   word       13a       basic    lb   Luxembourgish
ln   word       13a       basic    ln   Lingala
lo   character  char      basic    lo   Lao
lt   word       13a       basic    lt   Lithuanian
lv   word       13a       basic    lv   Latvian
mg   word       13a       basic    mg   Malagasy
mi   word       13a       basic    mi   Maori
mk   word       13a       basic    mk   Macedonian
ml   word       13a       basic    ml   Malayalam
mn   word       13a       basic    mn   Mongolian
mr   word       13a       basic    mr   Marathi
ms   word       13a       basic    ms   Malay
mt   word       13a       basic    mt   Maltese
my   character  char      basic    my   Burmese
nb   word       13a       basic    no   Norwegian Bokmal
ne   word       13a       basic    ne   Nepali
nl   word       13a       basic    nl   Dutch
nn   word       13a       basic    nn   Norwegian Nynorsk
no   word       13a       basic    no   Norwegian
oc   word       13a       basic    oc   Occitan
pa   word       13a       basic    pa   Punjabi
pl   word       13a       basic    pl   Polish
ps   word       13a       basic    ps   Pashto
pt   word       13a       basic    pt   Portuguese
ro   word       13a       basic    ro   Romanian
ru   word       13a       basic    ru   Russian
sa   word       13a       basic    sa   Sanskrit
sd   word       13a       basic    sd   Sindhi
si   word       13a       basic    si   Sinhala
sk   word       13a       basic    sk   Slovak
sl   word       13a       basic    sl   Slovenian
sn   word       13a       basic    sn   Shona
so   word       13a       basic    so   Somali
sq   word       13a       basic    sq   Albanian
sr   word       13a       basic    sr   Serbian
su   word       13a       basic    su   Sundanese
sv   word       13a       basic    sv   Swedish
sw   word       13a       basic    sw   Swahili
ta   word       13a       basic    ta   Tamil
te   word       13a       basic    te   Telugu
tg   word       13a       basic    tg   Tajik
th   character  char      basic    th   Thai
tk   word       13a       basic    tk   Turkmen
tl   word       13a       basic    tl   Tagalog
tr   word       13a       dotless  tr   Turkish
tt   word       13a       basic    tt   Tatar
uk   word       13a       basic    uk   Ukrainian
ur   word       13a       basic    ur   Urdu
uz   word       13a       basic    uz   Uzbek
vi   word       13a       basic    vi   Vietnamese
yi   word       13a       basic    yi   Yiddish
yo   word       13a       basic    yo   Yoruba
yue  character  zh        basic    yue  Cantonese
zh   character  zh        basic    zh   Chinese

ab   word       13a       basic    -    Abkhazian
ast  word       13a       basic    -    Asturian
ceb  word       13a       basic    -    Cebuano
ckb  word       13a       basic    -    Central Kurdish
cv   word       13a       basic    -    Chuvash
dv   word       13a       basic    -    Dhivehi
dz   character  char      basic    -    Dzongkha
eo   word       13a       basic    -    Esperanto
ff   word       13a       basic    -    Fulah
fy   word       13a       basic    -    Western Frisian
ga   word       13a       basic    -    Irish
gd   word       13a       basic    -    Scottish Gaelic
gn   word       13a       basic    -    Guarani
gsw  word       13a       basic    -    Swiss German
hak  character  zh        basic    -    Hakka
hsb  word       13a       basic    -    Upper Sorbian
ia   word       13a       basic    -    Interlingua
ig   word       13a       basic    -    Igbo
kab  word       13a       basic    -    Kabyle
kmr  word       13a       basic    -    Northern Kurdish
ku   word       13a       basic    -    Kurdish
ky   word       13a       basic    -    Kyrgyz
lg   word       13a       basic    -    Ganda
luo  word       13a       basic    -    Luo
mnw  character  char      basic    -    Mon
nan  character  zh        basic    -    Hokkien
nso  word       13a       basic    -    Northern Sotho
ny   word       13a       basic    -    Chichewa
om   word       13a       basic    -    Oromo
or   word       13a       basic    -    Odia
qu   word       13a       basic    -    Quechua
rm   word       13a       basic    -    Romansh
rw   word       13a       basic    -    Kinyarwanda
sah  word       13a       basic    -    Yakut
sat  word       13a       basic    -    Santali
se   word       13a       basic    -    Northern Sami
shn  character  char      basic    -    Shan
st   word       13a       basic    -    Southern Sotho
ti   word       13a       basic    -    Tigrinya
tn   word       13a       basic    -    Tswana
tw   word       13a       basic    -    Twi
ug   word       13a       basic    -    Uyghur
wo   word       13a       basic    -    Wolof
wuu  character  zh        basic    -    Wu Chinese
xh   word       13a       basic    -    Xhosa
zu   word       13a       basic    -    Zulu
"""
