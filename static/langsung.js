/* Keeps the changing parts of a dashboard new while somebody watches. The page is complete without it.

   The script element says where to ask (data-href), what the page holds (data-etag) and how often to ask
   (data-seconds). What comes back is a list of elements with ids; each takes the place of what the page's
   element of the same id holds. Unchanged answers are 304 and change the time alone. */
"use strict";
(() => {
  const own = document.currentScript.dataset;
  const light = document.getElementById("langsung");
  const usual = own.seconds * 1000, slowest = 120000;
  let etag = own.etag, wait = usual, timer = 0, asking = false;

  const say = (words, broken) => {
    light.textContent = words;
    light.classList.toggle("putus", broken);
    light.hidden = false;
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, wait);
  };
  // whoever reads or marks text in a part keeps it as it is until they are done
  const isMarked = (part) => {
    const marked = getSelection();
    return !marked.isCollapsed && part.contains(marked.anchorNode);
  };
  const renew = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html").querySelectorAll("body > [id]");
    const pairs = [...fresh].map((part) => [document.getElementById(part.id), part]).filter(([old]) => old);
    if (pairs.some(([old]) => isMarked(old))) return false;
    for (const [old, part] of pairs) {
      const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      old.replaceChildren(...part.childNodes);
      if (focused) old.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    }
    return true;
  };
  const ask = async () => {
    if (document.hidden || asking) return;
    asking = true;
    try {
      const answer = await fetch(own.href, { headers: { "If-None-Match": `"${etag}"` }, redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 403) return say(own.out, true);
      if (answer.status === 200 && renew(await answer.text())) etag = answer.headers.get("ETag").replaceAll('"', "");
      if (answer.status !== 200 && answer.status !== 304) throw new Error(answer.status);
      wait = usual;
      say(`${own.live}, ${answer.headers.get("Bekal-Clock")}`, false);
    } catch {
      wait = Math.min(wait * 2, slowest);
      say(own.lost, true);
    } finally {
      asking = false;
    }
    later();
  };
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  ask();
})();
