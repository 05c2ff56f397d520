"use strict";
const form = document.getElementById("filters");
const findings = [...document.querySelectorAll(".finding")];

function filter() {
  const levels = new Set([...form.querySelectorAll("[name=level]:checked")].map((box) => box.value));
  const operation = document.getElementById("operation").value;
  let shown = 0;
  for (const finding of findings) {
    const { level, operations } = finding.dataset;
    finding.hidden = !levels.has(level) || (operation !== "" && !operations.split("\n").includes(operation));
    shown += finding.hidden ? 0 : 1;
  }
  document.getElementById("shown").value = `${shown} of ${findings.length} findings`;
  document.getElementById("nothing").hidden = shown > 0 || findings.length === 0;
}

form.addEventListener("change", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();
