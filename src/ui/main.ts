/** Where the page begins. */
import { h, render } from "preact";
import { Desk } from "./desk.ts";
import { thisBrowser } from "./this-browser.ts";
import { App } from "./view/app.ts";

const place = document.getElementById("page");
if (place !== null) {
  const desk = new Desk(thisBrowser);
  place.replaceChildren();
  render(h(App, { desk }), place);
  desk.start();
}
