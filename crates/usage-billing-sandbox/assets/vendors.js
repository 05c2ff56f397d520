// Vendors, each with a name, a color and a shape.

import { el } from "./elements.js";

export const swatch = vendor => el("span", { class: "swatch " + vendor, "aria-hidden": "true" });
export const named = (vendor, ...text) => el("span", { class: "name" }, swatch(vendor), el("span", {}, text));
export const VENDORS = { genesys: "Genesys Cloud", suger: "Suger", acronis: "Acronis" };
