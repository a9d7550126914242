"use strict";
// Renews the page in place, so that scrolling, an open section and a marked command stay.
(function () {
  async function renew() {
    if (document.hidden || String(getSelection()) !== "") return;
    try {
      const response = await fetch("/", { cache: "no-store", credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      const open = document.getElementById("push")?.open;
      document.querySelector("header").replaceWith(fresh.querySelector("header"));
      document.getElementById("main").replaceWith(fresh.getElementById("main"));
      const push = document.getElementById("push");
      if (push && open) push.open = true;
    } catch {
      const state = document.getElementById("state");
      state.textContent = "no answer";
      state.className = "state bad";
    }
  }
  setInterval(renew, 5000);
})();
