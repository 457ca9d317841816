// The page's own script: a citation opens its passage, an opened document scrolls to the marked passage,
// and the page says in which language and direction it is. No request leaves the machine.
() => {
  // The languages that the page is translated into, with their directions; in others it is served in English.
  const translated = $translated;
  const wanted = navigator.languages?.length ? navigator.languages : [navigator.language || "en"];
  const language = wanted.map((one) => one.split("-")[0].toLowerCase()).find((one) => one in translated) || "en";
  document.documentElement.lang = language;
  document.documentElement.dir = translated[language];

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
