// Draws the hourly chart; <html data-ready> tells a test that everything is on the screen.
(function () {
  "use strict";
  var box = document.getElementById("chart");
  function finish() { document.documentElement.dataset.ready = "true"; }
  if (!box) { finish(); return; }
  fetch(box.dataset.url).then(function (answer) {
    if (!answer.ok) { throw new Error("HTTP " + answer.status); }
    return answer.json();
  }).then(function (series) {
    var chart = echarts.init(box);
    var labels = series.hours.map(function (hour) { return hour.slice(5, 10) + " " + hour.slice(11, 16); });
    chart.setOption({
      animation: false,
      grid: { left: 44, right: 16, top: 40, bottom: 34 },
      legend: { top: 6 },
      tooltip: { trigger: "axis" },
      xAxis: { type: "category", data: labels },
      yAxis: { type: "value", minInterval: 1 },
      series: [
        { name: "全部", type: "bar", data: series.total, itemStyle: { color: "#c9d8d5" }, barGap: "-100%" },
        { name: "负面", type: "bar", data: series.negative, itemStyle: { color: "#c0392b" } },
        { name: "负面基线", type: "line", data: series.baseline, symbol: "none", lineStyle: { type: "dashed", color: "#1f5d57" }, itemStyle: { color: "#1f5d57" } }
      ]
    });
    window.addEventListener("resize", function () { chart.resize(); });
    finish();
  }).catch(function (error) {
    box.textContent = "图表没有画出来:" + error.message + "。请刷新页面重试。";
    finish();
  });
})();
