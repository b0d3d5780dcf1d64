#pragma once
/// Style sheet of a report: light or dark by system setting, one column on phones and on paper.

#include <string_view>

namespace rc3::train::report {

inline constexpr std::string_view style = R"css(
:root{--page:#fbfaf8;--card:#fff;--ink:#1d2330;--soft:#667085;--line:#e5e3de;--bar:#dbe7f7;
--c0:#2563c9;--c1:#d9632b;--c2:#1d8a5b;--c3:#8f4bb8;--c4:#b8860b;--c5:#c2355f}
@media (prefers-color-scheme:dark){:root{--page:#14171c;--card:#1b1f26;--ink:#e7e9ee;--soft:#98a1b2;--line:#2c323c;--bar:#24395a;
--c0:#6ea3f5;--c1:#f0935f;--c2:#54c08f;--c3:#c08be4;--c4:#dcb04a;--c5:#ee7f9f}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:22px;line-height:1.3;margin:0;overflow-wrap:anywhere}
header p{margin:6px 0 0;color:var(--soft)}
h2{font-size:16px;margin:40px 0 12px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(136px,1fr));gap:12px;margin:28px 0 0}
.tiles div,score,.scroll,details,.facts{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tiles div{padding:12px 16px;display:flex;flex-direction:column-reverse;justify-content:flex-end}
dt{color:var(--soft);font-size:13px}
dd{margin:0;overflow-wrap:anywhere}
.tiles dd{font-size:21px;font-weight:600;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:16px}
figure{margin:0;padding:14px 12px 8px}
figcaption{font-weight:600;padding:0 6px 8px;display:flex;flex-wrap:wrap;gap:4px 14px;align-items:baseline}
figcaption small{color:var(--soft);font-weight:400}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;font-weight:400;font-size:13px;color:var(--soft)}
.legend span::before{content:"";display:inline-block;width:12px;height:3px;border-radius:2px;margin-right:6px;vertical-align:middle;background:currentColor}
.legend span{background:none}
svg{display:block;width:100%;height:auto}
.grid line{stroke:var(--line)}
.label text{fill:var(--soft);font-size:12px;font-variant-numeric:tabular-nums}
path{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}
path.raw{stroke-width:1;opacity:.22}
.c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:6px 14px;text-align:right;white-space:nowrap}
th{font-weight:500}
thead th{color:var(--soft);font-size:13px;border-bottom:1px solid var(--line)}
th[scope=row],.group th{text-align:left}
.group th{color:var(--soft);font-size:13px;padding-top:14px}
tbody tr+tr td,tbody tr+tr th{border-top:1px solid var(--line)}
td{background:linear-gradient(to right,var(--bar) var(--share),transparent 0) no-repeat 0 50%/100% 70%}
td.best{font-weight:700}
details{padding:10px 16px}
details+details{margin-top:10px}
summary{cursor:pointer;color:var(--soft)}
pre{overflow-x:auto;font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace}
.facts{margin:0;padding:4px 16px}
.facts div{display:grid;grid-template-columns:minmax(120px,200px) 1fr;gap:12px;padding:6px 0}
.facts div+div{border-top:1px solid var(--line)}
@media print{body{background:#fff}main{padding:0}score,table{break-inside:avoid}}
)css";

}  // namespace rc3::train::report
