// The page's own script: a citation opens its passage, an opened document scrolls to the marked passage,
// and the page follows the direction of the browser's language. No request leaves the machine.
() => {
  const rightToLeft = ["ar", "fa", "he", "ur"];
  const language = (navigator.language || "en").split("-")[0];
  document.documentElement.lang = language;
  document.documentElement.dir = rightToLeft.includes(language) ? "rtl" : "ltr";

  document.addEventListener("click", (event) => {
    const citation = event.target.closest("a.citation");
    if (!citation) return;
    event.preventDefault();
    // The page that argues and the one that replays may both show a passage of that number.
    const board = citation.closest(".board") || document;
    const card = board.querySelector(citation.getAttribute("href"));
    if (!card) return;
    for (let outer = card.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
    card.querySelector("details").open = true;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "center" });
    document.querySelectorAll(".card.cited").forEach((other) => other.classList.remove("cited"));
    card.classList.add("cited");
  });

  document.addEventListener(
    "toggle",
    (event) => {
      const mark = event.target.open && event.target.querySelector?.(".document mark");
      if (!mark) return;
      const box = mark.closest(".document");
      box.scrollTop = mark.offsetTop - box.clientHeight / 3;
    },
    true,
  );
}
