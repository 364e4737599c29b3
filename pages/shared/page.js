// On a phone the sidebar is a drawer: a button on the page opens it, and a choice closes it.
// On a fresh server Streamlit looks for the first page among files, before it asks app.py, and says
// that it is not found while it shows it: that dialog is closed. The style sheet hides dialogs until
// it has been looked for, since the address is that of the start page for a moment.
if (!globalThis.convscopePage) {
  globalThis.convscopePage = true;
  const LOOKS = 60; // times, every 50 milliseconds
  const LEFT = 10; // looks after which a closed dialog has left, and an address stays as it is
  let looks = 0;
  const look = () => {
    const known = document.querySelector(".open-rail")?.dataset.pages.split(" ") ?? [];
    const right = known.includes(location.pathname.split("/").at(-1));
    const dialog = [...document.querySelectorAll("[role=dialog]")]
      .find((one) => one.textContent.startsWith("Page not found"));
    if (right) dialog?.querySelector("button")?.click();
    looks += 1;
    if (looks === LEFT) document.body.classList.add("looked");
    if (looks === LOOKS) clearInterval(watch);
  };
  const watch = setInterval(look, 50);
  look();
  const PHONE = 640; // pixels of width, as in the style sheet
  const NEXT = 300; // milliseconds that a choice needs to be heard
  const press = (name) => {
    const found = document.querySelector(`[data-testid=${name}]`);
    (found?.matches("button") ? found : found?.querySelector("button"))?.click();
  };
  const close = () => {
    if (innerWidth <= PHONE) setTimeout(() => press("stSidebarCollapseButton"), NEXT);
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".open-rail")) press("stExpandSidebarButton");
    const option = event.target.closest?.("[role=option]");
    if (option && !option.closest("[data-testid=stMain]")) close();
  }, true);
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-testid=stSidebar] input[type=file]")) close();
  }, true);
}
