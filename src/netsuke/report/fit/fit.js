document.body.classList.add("with-script");

const every = (what) => [...document.querySelectorAll(what)];

function choose(number) {
  const card = document.getElementById(`design-${number}`);
  if (!card) return;
  for (const each of every("[data-design]"))
    each.classList.toggle("selected", each.dataset.design === String(number));
  for (const place of every(".number")) place.textContent = number;
  for (const row of every(".boards tbody tr")) {
    const lacks = ["flash", "ram"].filter((m) => Number(card.dataset[m]) > Number(row.dataset[m]));
    const cell = row.querySelector(".fits");
    cell.textContent = lacks.length ? `lacks ${lacks.join(", ").replace("ram", "RAM")}` : "fits";
    cell.classList.toggle("good", !lacks.length);
    cell.classList.toggle("bad", lacks.length > 0);
  }
}

for (const link of every("a[data-design]"))
  link.addEventListener("click", (event) => {
    if (link.closest("svg")) event.preventDefault();
    choose(link.dataset.design);
  });

for (const chart of every("svg.front")) {
  const across = (spot) => Number(spot.querySelector(".dot").getAttribute("cx"));
  const spots = [...chart.querySelectorAll(".spot")].sort((a, b) => across(a) - across(b));
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const place = spots.indexOf(event.target.closest(".spot"));
    if (!step || place < 0) return;
    event.preventDefault();
    const next = spots[(place + step + spots.length) % spots.length];
    next.focus();
    choose(next.dataset.design);
  });
}

for (const button of every("button[data-copy]"))
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected";
    }
  });

const asked = /^#design-(\d+)$/.exec(location.hash);
const first = document.querySelector(".card.selected");
if (asked || first) choose(asked ? asked[1] : first.dataset.design);
