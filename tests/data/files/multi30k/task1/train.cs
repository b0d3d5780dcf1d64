Dvě dívky v červených kabátech krmí kachny u rybníka.
Muž opravuje kolo před žlutým domem.
Pes nese mokrý klacek mělkou vodou.
Stará žena prodává jablka u stánku na trhu.
