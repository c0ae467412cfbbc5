(function () {
  "use strict";
  var root = document.documentElement;
  var language = "en";

  /* The hash holds the language and, after a slash, the section: #ko/map. */
  function fromHash() {
    var found = /^#(en|ko)?(?:\/?([\w-]+))?$/.exec(location.hash) || [];
    return { language: found[1], section: found[2] };
  }
  function ofBrowser() {
    var first = (navigator.languages && navigator.languages[0]) || navigator.language || "en";
    return /^ko\b/i.test(first) ? "ko" : "en";
  }
  function remember(section) {
    var hash = "#" + language + (section ? "/" + section : "");
    try { history.replaceState(null, "", hash); } catch (e) { location.hash = hash; }
  }
  function speak(wanted) {
    language = wanted;
    root.lang = wanted;
    document.title = root.getAttribute("data-title-" + wanted);
    document.querySelectorAll("[data-language]").forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-language") === wanted));
    });
    document.querySelectorAll("option[data-en]").forEach(function (option) {
      option.textContent = option.getAttribute("data-" + wanted);
    });
    if (hide) hide();
  }
  function go(section) {
    var target = section && document.getElementById(section);
    if (!target) return;
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  }

  /* Set before the page is painted, so that no one sees the other language flash by. */
  var hide = null;
  root.classList.add("js");
  root.lang = fromHash().language || ofBrowser();

  function pickers() {
    document.querySelectorAll("[data-picker]").forEach(function (box) {
      var select = box.querySelector("select");
      var panels = box.querySelectorAll(".panel");
      function show() {
        panels.forEach(function (panel, number) {
          panel.classList.toggle("off", number !== Number(select.value));
        });
      }
      if (select) { select.addEventListener("change", show); show(); }
    });
  }

  /* The tip: words near the pointer or the focused mark. */
  function tips() {
    var tip = document.getElementById("tip");
    hide = function () { tip.hidden = true; clearCursors(); };
    function words(node) {
      return node.getAttribute("data-tip-" + language) || node.getAttribute("data-tip");
    }
    function place(x, y) {
      tip.hidden = false;
      var box = tip.getBoundingClientRect();
      var left = Math.min(Math.max(8, x + 14), innerWidth - box.width - 8);
      var top = y - box.height - 12 > 4 ? y - box.height - 12 : y + 18;
      tip.style.left = left + "px";
      tip.style.top = top + "px";
    }
    function about(event) {
      var node = event.target.closest && event.target.closest("[data-tip],[data-tip-en]");
      if (!node) return;
      tip.textContent = words(node);
      var box = node.getBoundingClientRect();
      place(event.clientX || box.left, event.clientY || box.top);
    }
    ["pointerover", "focusin", "click"].forEach(function (kind) {
      document.addEventListener(kind, about);
    });
    ["pointerout", "focusout"].forEach(function (kind) {
      document.addEventListener(kind, function () { hide(); });
    });
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape") hide();
    });
    document.querySelectorAll("svg[data-x]").forEach(function (svg) { readable(svg, tip, place); });
  }
  function clearCursors() {
    document.querySelectorAll(".cursor").forEach(function (line) { line.remove(); });
  }

  /* A chart whose values can be read: its paths are turned back into numbers. */
  function axis(text) {
    var v = text.split(" ").map(Number);
    return {
      start: v[2], end: v[3],
      value: function (px) { return v[0] + (px - v[2]) / (v[3] - v[2]) * (v[1] - v[0]); }
    };
  }
  function points(d) {
    return (d.match(/[ML][^ML]+/g) || []).map(function (part) {
      return part.slice(1).split(" ").map(Number);
    });
  }
  function nearest(list, x, within) {
    var best = null;
    list.forEach(function (p) {
      if (Math.abs(p[0] - x) <= within && (!best || Math.abs(p[0] - x) < Math.abs(best[0] - x))) best = p;
    });
    return best;
  }
  function heading(svg, value) {
    var kind = svg.getAttribute("data-kind");
    var step = Number(svg.getAttribute("data-step"));
    if (kind === "time") {
      var moment = new Date(Math.round(value / 60) * 60000);
      var zone = svg.getAttribute("data-zone");
      var shape = { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
      try { shape.timeZone = zone; return new Intl.DateTimeFormat(language === "ko" ? "ko-KR" : "en-GB", shape).format(moment); }
      catch (e) { return moment.toISOString().slice(0, 16); }
    }
    var shown = String(Number((Math.round(value / step) * step).toPrecision(6)));
    var names = {
      hours: { en: "+" + shown + " h", ko: shown + "시간 뒤" },
      minutes: { en: "+" + shown + " min", ko: shown + "분 뒤" },
      round: { en: "round " + Math.round(value), ko: Math.round(value) + "라운드" }
    };
    return names[kind][language];
  }
  function readable(svg, tip, place) {
    var x = axis(svg.getAttribute("data-x")), y = axis(svg.getAttribute("data-y"));
    var places = Number(svg.getAttribute("data-places"));
    var lines = null, at = null;
    function load() {
      lines = lines || Array.prototype.map.call(svg.querySelectorAll("path[data-en]"), function (path) {
        return { node: path, points: points(path.getAttribute("d")) };
      });
      return lines;
    }
    function grid() {
      var longest = [];
      load().forEach(function (line) { if (line.points.length > longest.length) longest = line.points; });
      return longest;
    }
    function show(px, clientX, clientY) {
      var all = grid();
      var anchor = nearest(all, px, Infinity);
      if (!anchor) return;
      at = all.indexOf(anchor);
      var half = all.length > 1 ? Math.abs(all[1][0] - all[0][0]) * 0.6 + 0.1 : 5;
      tip.textContent = "";
      var head = document.createElement("b");
      head.textContent = heading(svg, x.value(anchor[0]));
      tip.appendChild(head);
      load().forEach(function (line) {
        var p = nearest(line.points, anchor[0], half);
        if (!p) return;
        var row = document.createElement("span");
        row.className = "row " + line.node.getAttribute("class");
        var name = document.createElement("span");
        name.textContent = line.node.getAttribute("data-" + language);
        var number = document.createElement("span");
        number.textContent = y.value(p[1]).toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
        row.appendChild(name);
        row.appendChild(number);
        tip.appendChild(row);
      });
      clearCursors();
      var cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
      [["x1", anchor[0]], ["x2", anchor[0]], ["y1", y.start], ["y2", y.end], ["class", "cursor"]].forEach(function (pair) {
        cursor.setAttribute(pair[0], pair[1]);
      });
      svg.appendChild(cursor);
      place(clientX, clientY);
    }
    svg.addEventListener("pointermove", function (event) {
      var box = svg.getBoundingClientRect();
      var px = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
      if (px >= x.start - 8 && px <= x.end + 8) show(px, event.clientX, event.clientY); else hide();
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("keydown", function (event) {
      var move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move) return;
      event.preventDefault();
      var all = grid();
      if (!all.length) return;
      var next = at === null ? 0 : Math.min(Math.max(at + move, 0), all.length - 1);
      var box = svg.getBoundingClientRect();
      var left = box.left + all[next][0] * box.width / svg.viewBox.baseVal.width;
      show(all[next][0], left, box.top + 40);
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    var wanted = fromHash();
    pickers();
    tips();
    speak(wanted.language || ofBrowser());
    go(wanted.section);
    document.querySelectorAll("[data-language]").forEach(function (button) {
      button.addEventListener("click", function () {
        speak(button.getAttribute("data-language"));
        remember(fromHash().section);
      });
    });
    document.querySelectorAll("[data-go]").forEach(function (link) {
      link.addEventListener("click", function (event) {
        event.preventDefault();
        remember(link.getAttribute("data-go"));
        go(link.getAttribute("data-go"));
      });
    });
    addEventListener("hashchange", function () {
      var now = fromHash();
      if (now.language) speak(now.language);
      go(now.section);
    });
    addEventListener("beforeprint", function () {
      document.querySelectorAll("details").forEach(function (part) { part.open = true; });
    });
  });
})();
