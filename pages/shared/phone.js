// On a phone the sidebar is a drawer: a button on the page opens it, and a choice closes it.
if (!globalThis.convscopePhone) {
  globalThis.convscopePhone = true;
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
