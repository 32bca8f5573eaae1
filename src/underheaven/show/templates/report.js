"use strict";
// Each chart stands in the page as a drawing; here it is replaced by one that answers to the pointer.
// Nothing is fetched and no text is evaluated: Vega's interpreter reads the expressions (`ast`).
(function () {
  function upgrade(figure) {
    var spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    var live = document.createElement("div");
    live.className = "live";
    live.hidden = true;
    var drawing = figure.querySelector(".drawing");
    drawing.after(live);
    window.vegaEmbed(live, spec, {
      ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true }
    }).then(function () {
      live.hidden = false;
      drawing.classList.add("replaced");
      figure.dataset.state = "live";
    }).catch(function (error) {
      live.remove();  // the drawing stays
      figure.dataset.state = "failed: " + error.message;
    });
  }
  var figures = Array.prototype.slice.call(document.querySelectorAll("figure[data-chart]"));
  if (!("IntersectionObserver" in window)) { figures.forEach(upgrade); return; }
  var observer = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (entry.isIntersecting) { observer.unobserve(entry.target); upgrade(entry.target); }
    });
  }, { rootMargin: "400px" });
  figures.forEach(function (figure) { observer.observe(figure); });
})();
