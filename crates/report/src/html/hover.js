// Lets a reader point at a panel and read the values of its series. Nothing is lost without it.
(function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg";

  function numbers(text) {
    return (text || "").split(",").map(function (word) { return word === "" ? NaN : Number(word); });
  }

  function scale(text) {
    var words = text.split(" "), lo = Number(words[1]), hi = Number(words[2]);
    if (words[0] === "log") {
      return function (value) { return (Math.log(value) - Math.log(lo)) / (Math.log(hi) - Math.log(lo)); };
    }
    return function (value) { return (value - lo) / (hi - lo); };
  }

  function brief(value) {
    var text = String(Number(value.toPrecision(5)));
    return text.replace("-", "\u2212");
  }

  function read(svg) {
    var area = svg.dataset.area.split(" ").map(Number), x = scale(svg.dataset.x), y = scale(svg.dataset.y);
    var series = Array.prototype.map.call(svg.querySelectorAll("[data-xs]"), function (element) {
      var xs = numbers(element.dataset.xs), ys = numbers(element.dataset.ys);
      return {
        element: element, label: element.dataset.label, xs: xs, ys: ys,
        errors: element.dataset.errors ? numbers(element.dataset.errors) : null,
        px: xs.map(function (value) { return area[0] + area[2] * x(value); }),
        py: ys.map(function (value) { return area[1] + area[3] * (1 - y(value)); })
      };
    });
    return { area: area, series: series };
  }

  function nearest(places, wanted) {
    var best = -1, least = Infinity;
    for (var i = 0; i < places.length; i += 1) {
      var distance = Math.abs(places[i] - wanted);
      if (distance < least) { least = distance; best = i; }
    }
    return best;
  }

  function colour(one) {
    var element = one.element.tagName === "g" ? one.element.lastElementChild || one.element : one.element;
    var style = getComputedStyle(element);
    return style.fill === "none" ? style.stroke : style.fill;
  }

  function make(parent, name, attributes) {
    var element = document.createElementNS(SVG, name);
    Object.keys(attributes).forEach(function (key) { element.setAttribute(key, attributes[key]); });
    parent.appendChild(element);
    return element;
  }

  function row(tip, shade, words, value) {
    var line = document.createElement("div");
    if (shade) {
      var patch = document.createElement("i");
      patch.style.background = shade;
      line.appendChild(patch);
    }
    var name = document.createElement("span");
    name.textContent = words;
    line.appendChild(name);
    var number = document.createElement("b");
    number.textContent = value;
    line.appendChild(number);
    tip.appendChild(line);
  }

  function enliven(svg) {
    var panel = null, tip = null, cross = null, place = 0;

    function begin() {
      if (panel) { return; }
      panel = read(svg);
      tip = document.createElement("div");
      tip.className = "gl-tip";
      tip.hidden = true;
      tip.setAttribute("aria-live", "polite");
      svg.parentNode.appendChild(tip);
      cross = make(svg, "g", { "pointer-events": "none" });
    }

    function end() {
      if (tip) { tip.hidden = true; cross.textContent = ""; }
    }

    function show(x, y) {
      begin();
      var area = panel.area, hits = [];
      if (x < area[0] - 8 || x > area[0] + area[2] + 8) { end(); return; }
      panel.series.forEach(function (one) {
        var at = nearest(one.px, x);
        if (at >= 0) { hits.push({ one: one, at: at, dx: Math.abs(one.px[at] - x), dy: Math.abs(one.py[at] - y) }); }
      });
      if (!hits.length) { end(); return; }
      hits.sort(function (a, b) { return a.dx - b.dx; });
      var lead = hits[0], at = lead.one.px[lead.at];
      hits = hits.filter(function (hit) { return Math.abs(hit.one.px[hit.at] - at) <= 10; });
      if (hits.length > 10) {
        hits.sort(function (a, b) { return a.dy - b.dy; });
        hits = hits.slice(0, 10);
      }
      hits.sort(function (a, b) { return a.one.py[a.at] - b.one.py[b.at]; });
      place = at;
      tip.textContent = "";
      cross.textContent = "";
      row(tip, "", svg.dataset.xName, brief(lead.one.xs[lead.at]));
      make(cross, "path", {
        d: "M" + at + " " + area[1] + "v" + area[3], stroke: "currentColor", "stroke-opacity": "0.35", "stroke-width": "1"
      });
      hits.forEach(function (hit) {
        var one = hit.one, shade = colour(one), value = brief(one.ys[hit.at]);
        if (one.errors && isFinite(one.errors[hit.at])) { value += " \u00b1 " + brief(one.errors[hit.at]); }
        row(tip, shade, one.label || svg.dataset.yName, value);
        if (one.py[hit.at] >= area[1] - 1 && one.py[hit.at] <= area[1] + area[3] + 1) {
          make(cross, "circle", {
            cx: one.px[hit.at], cy: one.py[hit.at], r: 4, fill: shade, stroke: "var(--paper)", "stroke-width": "1.5"
          });
        }
      });
      tip.hidden = false;
      var box = svg.getBoundingClientRect(), zoom = box.width / svg.viewBox.baseVal.width;
      var left = at * zoom + 14;
      if (left + tip.offsetWidth > box.width) { left = Math.max(0, at * zoom - 14 - tip.offsetWidth); }
      tip.style.left = left + "px";
      tip.style.top = Math.max(0, Math.min(y * zoom - 20, box.height - tip.offsetHeight)) + "px";
    }

    function follow(event) {
      var matrix = svg.getScreenCTM();
      if (!matrix) { return; }
      var point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
      show(point.x, point.y);
    }

    svg.addEventListener("pointermove", follow);
    svg.addEventListener("pointerdown", follow);
    svg.addEventListener("pointerleave", end);
    svg.addEventListener("blur", end);
    svg.addEventListener("keydown", function (event) {
      var step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) { if (event.key === "Escape") { end(); } return; }
      event.preventDefault();
      begin();
      var all = [];
      panel.series.forEach(function (one) { all = all.concat(one.px); });
      var beyond = all.filter(function (px) { return step * (px - place) > 3; });
      if (beyond.length) {
        show(beyond.reduce(function (a, b) { return step * (a - b) > 0 ? b : a; }), panel.area[1] + 20);
      }
    });
  }

  document.querySelectorAll("svg.gl-panel").forEach(enliven);
})();
