/** A colour as its channels, 0 to 255. */
type Color = readonly number[];

const WHITE: Color = [255, 255, 255];
const BLACK: Color = [0, 0, 0];
/** What text stands on: `--ground` and `--raised` of console/style/colors.css. */
const GROUNDS = { light: ['#f6f7f9', '#ffffff'], dark: ['#12151c', '#1b1f29'] };
/** WCAG 2.2, 1.4.3 (AA). */
const MIN_CONTRAST = 4.5;
const STEPS = 20;

/**
 * The variables of a brand colour (`#rrggbb`): `--brand` for surfaces, `--on-brand` for text on them, and `--accent` for text
 * and lines on the page, which is the brand colour made darker or lighter until it can be read.
 */
export function themeStyle(brand: string): string {
  const color = channelsOf(brand);
  const onBrand = contrast(color, WHITE) >= MIN_CONTRAST ? WHITE : BLACK;
  const [light, dark] = [readable(color, GROUNDS.light, BLACK), readable(color, GROUNDS.dark, WHITE)];
  return (
    `:root{--brand:${brand};--on-brand:${hex(onBrand)};--accent:${hex(light)}}` +
    `@media (prefers-color-scheme:dark){:root{--accent:${hex(dark)}}}`
  );
}

/** The colour, mixed with as little as necessary of another. */
function readable(color: Color, grounds: string[], other: Color): Color {
  for (let step = 0; step < STEPS; step++) {
    const mixed = color.map((channel, index) =>
      Math.round(channel + (((other[index] ?? 0) - channel) * step) / STEPS),
    );
    if (grounds.every((ground) => contrast(mixed, channelsOf(ground)) >= MIN_CONTRAST)) return mixed;
  }
  return other;
}

/** WCAG 2.2, contrast ratio. */
function contrast(one: Color, other: Color): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** WCAG 2.2, relative luminance. */
function luminance(color: Color): number {
  const [red = 0, green = 0, blue = 0] = color.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channelsOf(text: string): Color {
  return [1, 3, 5].map((start) => Number.parseInt(text.slice(start, start + 2), 16));
}

function hex(color: Color): string {
  return `#${color.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
