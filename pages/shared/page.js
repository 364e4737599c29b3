// On a phone the sidebar is a drawer: a button on the page opens it, and a choice closes it.
// On a fresh server Streamlit looks for the first page among files, before it asks app.py, and says
// that it is not found while it shows it: that dialog is closed, once.
if (!globalThis.convscopePage) {
  globalThis.convscopePage = true;
  const LOOKS = 30; // times, every 100 milliseconds
  let looks = 0;
  const watch = setInterval(() => {
    const known = document.querySelector(".open-rail")?.dataset.pages.split(" ") ?? [];
    if (!known.includes(location.pathname.split("/").at(-1))) return;
    const dialog = [...document.querySelectorAll("[role=dialog]")]
      .find((one) => one.textContent.startsWith("Page not found"));
    dialog?.querySelector("button")?.click();
    looks += 1;
    if (dialog || looks >= LOOKS) clearInterval(watch);
  }, 100);
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
