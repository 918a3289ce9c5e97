import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { themeStyle } from '../../../shared/pages/theme';

const COLORS = readFileSync('console/style/colors.css', 'utf8');
const grounds = ['ground', 'raised'].map((name) =>
  [...COLORS.matchAll(new RegExp(`--${name}: (#\\w{6});`, 'g'))].map(([, color = '']) => color),
);

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number(`0x${color.slice(at, at + 2)}`) / 255;
    return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
  });
  return red * 0.2126 + green * 0.7152 + blue * 0.0722;
}
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

test('whatever the brand colour is, text on it and in it can be read, in light and dark', () => {
  expect(grounds.map(({ length }) => length)).toEqual([2, 2]);
  const anyColor = fc.integer({ min: 0, max: 0xffffff }).map((n) => `#${n.toString(16).padStart(6, '0')}`);
  fc.assert(
    fc.property(anyColor, (brand) => {
      const style = themeStyle(brand);
      const [, onBrand = ''] = /--on-brand:(#\w{6})/.exec(style) ?? [];
      expect(contrast(brand, onBrand)).toBeGreaterThanOrEqual(4.5);
      const accents = [...style.matchAll(/--accent:(#\w{6})/g)].map(([, color = '']) => color);
      expect(accents).toHaveLength(2);
      for (const [scheme, accent] of accents.entries())
        for (const ground of grounds)
          expect(contrast(accent, ground[scheme] ?? '')).toBeGreaterThanOrEqual(4.5);
    }),
    { numRuns: 500, examples: [['#ffffff'], ['#000000'], ['#ffff00'], ['#767676'], ['#ff0000']] },
  );
});

test('a colour that can be read stays as it is', () => {
  expect(themeStyle('#1d4fc4')).toContain('--brand:#1d4fc4;--on-brand:#ffffff;--accent:#1d4fc4}');
});
