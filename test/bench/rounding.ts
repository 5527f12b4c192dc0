/** Figures as they are shown. Goals are judged by the very numbers that are shown, rounded to the side that is not ours. */

/** What is missing to a figure by less than any measurement is no shortfall: 1.2 has no exact binary form. */
const slack = 1e-9;

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

export function roundDown(value: number, digits: number): number {
  return Math.floor(value * 10 ** digits + slack) / 10 ** digits;
}

export function roundUp(value: number, digits: number): number {
  return Math.ceil(value * 10 ** digits - slack) / 10 ** digits;
}
