/**
 * Draws the example's pictures: one kitchen counter, one light, seven moments. Run from the repository's root:
 * npx tsx examples/pour-over-coffee/make/pictures.ts
 */
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const W = 2560;
const H = 1440;
const OUT = fileURLToPath(new URL('../pictures/', import.meta.url));
const COUNTER = 1130;

const gradients = `
<linearGradient id="wall" x1="0" y1="0" x2="1" y2="1">
  <stop offset="0" stop-color="#2b3a42"/><stop offset="0.5" stop-color="#5d6a63"/><stop offset="1" stop-color="#d8a86c"/>
</linearGradient>
<radialGradient id="sun" cx="0.86" cy="0.1" r="0.85">
  <stop offset="0" stop-color="#fff0cf" stop-opacity="0.95"/><stop offset="0.35" stop-color="#ffd394" stop-opacity="0.5"/><stop offset="1" stop-color="#ffb866" stop-opacity="0"/>
</radialGradient>
<linearGradient id="counter" x1="0" y1="0" x2="0" y2="1">
  <stop offset="0" stop-color="#b98053"/><stop offset="0.08" stop-color="#96603a"/><stop offset="1" stop-color="#3c2416"/>
</linearGradient>
<linearGradient id="glass" x1="0" y1="0" x2="1" y2="0">
  <stop offset="0" stop-color="#fff" stop-opacity="0.5"/><stop offset="0.12" stop-color="#fff" stop-opacity="0.1"/><stop offset="0.7" stop-color="#fff" stop-opacity="0.05"/><stop offset="0.93" stop-color="#fff" stop-opacity="0.45"/><stop offset="1" stop-color="#fff" stop-opacity="0.2"/>
</linearGradient>
<linearGradient id="coffee" x1="0" y1="0" x2="0" y2="1">
  <stop offset="0" stop-color="#8a4a1c"/><stop offset="0.3" stop-color="#4e2710"/><stop offset="1" stop-color="#221008"/>
</linearGradient>
<linearGradient id="ceramic" x1="0" y1="0" x2="1" y2="0">
  <stop offset="0" stop-color="#b9b2a6"/><stop offset="0.35" stop-color="#efe9de"/><stop offset="0.75" stop-color="#fffaf0"/><stop offset="1" stop-color="#d8c8ae"/>
</linearGradient>
<linearGradient id="steel" x1="0" y1="0" x2="1" y2="0">
  <stop offset="0" stop-color="#1c2226"/><stop offset="0.3" stop-color="#39434a"/><stop offset="0.72" stop-color="#6d7b83"/><stop offset="0.82" stop-color="#e8d9c0"/><stop offset="1" stop-color="#4a4c4c"/>
</linearGradient>
<linearGradient id="paper" x1="0" y1="0" x2="1" y2="0">
  <stop offset="0" stop-color="#d6c8b0"/><stop offset="0.6" stop-color="#fff6e4"/><stop offset="1" stop-color="#eadbc0"/>
</linearGradient>
<linearGradient id="water" x1="0" y1="0" x2="0" y2="1">
  <stop offset="0" stop-color="#fff" stop-opacity="0.85"/><stop offset="1" stop-color="#cfe5ea" stop-opacity="0.5"/>
</linearGradient>
<radialGradient id="bed" cx="0.55" cy="0.4" r="0.7">
  <stop offset="0" stop-color="#7b4521"/><stop offset="0.6" stop-color="#4a2711"/><stop offset="1" stop-color="#2a1408"/>
</radialGradient>
<filter id="soft" x="-60%" y="-60%" width="220%" height="220%"><feGaussianBlur stdDeviation="34"/></filter>
<filter id="steamBlur" x="-80%" y="-30%" width="260%" height="160%"><feGaussianBlur stdDeviation="22"/></filter>
<filter id="far" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="16"/></filter>`;

const shadow = (x: number, y: number, rx: number, ry = 36): string =>
  `<ellipse cx="${x - rx * 0.28}" cy="${y}" rx="${rx * 1.35}" ry="${ry}" fill="#1a0d06" opacity="0.62" filter="url(#soft)"/>`;

/** The wall, the window's light, a blurred shelf, and the counter. */
function room(): string {
  const planks = [0, 1, 2, 3].map((i) => {
    const y = COUNTER + 34 + i * i * 26 + i * 34;
    return `<rect x="0" y="${y}" width="${W}" height="${2 + i}" fill="#2a170c" opacity="0.35"/>`;
  });
  const shelf = `<g filter="url(#far)" opacity="0.6">
    <rect x="120" y="430" width="980" height="26" fill="#3d2a1d"/>
    ${[180, 290, 420, 520, 700, 840].map((x, i) => `<rect x="${x}" y="${300 - (i % 3) * 40}" width="${70 + (i % 2) * 40}" height="${130 + (i % 3) * 40}" rx="14" fill="${['#8a5a3a', '#44605c', '#c9a36a', '#5b6f77', '#9c6b45', '#3b4d4c'][i]}"/>`).join('')}
  </g>`;
  const plant = `<g filter="url(#far)" opacity="0.75">${[-70, -45, -20, 5, 30, 58].map((a, i) => `<ellipse cx="2330" cy="820" rx="34" ry="${230 - (i % 2) * 50}" fill="${i % 2 ? '#4f6b45' : '#38533a'}" transform="rotate(${a} 2330 1010)"/>`).join('')}<path d="M2240 1000 h180 l-24 170 h-132 z" fill="#a86a43"/></g>`;
  const beams = `<g opacity="0.16" filter="url(#far)"><path d="M2560 0 L1500 ${H} L1150 ${H} L2350 0 Z" fill="#fff1d0"/><path d="M2200 0 L900 ${H} L760 ${H} L2110 0 Z" fill="#fff1d0"/></g>`;
  return `<rect width="${W}" height="${H}" fill="url(#wall)"/>${shelf}<rect width="${W}" height="${H}" fill="url(#sun)"/>${plant}
    <rect x="0" y="${COUNTER}" width="${W}" height="${H - COUNTER}" fill="url(#counter)"/>${planks.join('')}${beams}
    <rect x="0" y="${COUNTER}" width="${W}" height="5" fill="#f4cf9b" opacity="0.55"/>`;
}

function scale(x: number, y: number, reading: string): string {
  return `${shadow(x, y + 8, 330)}<rect x="${x - 310}" y="${y - 62}" width="620" height="66" rx="20" fill="#20262a"/>
    <rect x="${x - 310}" y="${y - 62}" width="620" height="14" rx="7" fill="#586268"/>
    <rect x="${x + 96}" y="${y - 42}" width="178" height="38" rx="8" fill="#0d1214"/>
    <text x="${x + 264}" y="${y - 12}" text-anchor="end" font-family="Noto Sans" font-weight="700" font-size="32" fill="#9fe8d2">${reading}</text>`;
}

/** A glass carafe with the coffee at `level` (0–1). */
function carafe(x: number, y: number, level: number): string {
  const top = y - 360;
  const fill = y - 20 - 270 * level;
  const spread = (at: number): number => 120 + 110 * Math.min(1, (at - top) / 230);
  const surface = spread(fill);
  const liquid =
    level > 0
      ? `<path d="M${x - surface} ${fill} Q${x - 236} ${y - 90} ${x - 200} ${y - 16} Q${x} ${y} ${x + 200} ${y - 16} Q${x + 236} ${y - 90} ${x + surface} ${fill} Z" fill="url(#coffee)"/><ellipse cx="${x}" cy="${fill}" rx="${surface}" ry="24" fill="#a45f2a"/><ellipse cx="${x + 30}" cy="${fill - 4}" rx="${surface * 0.6}" ry="11" fill="#d28f4f" opacity="0.6"/>`
      : '';
  return `${shadow(x, y, 230)}${liquid}
    <path d="M${x - 122} ${top} Q${x - 120} ${top + 90} ${x - 228} ${top + 220} Q${x - 246} ${y - 60} ${x - 196} ${y - 6} Q${x} ${y + 12} ${x + 196} ${y - 6} Q${x + 246} ${y - 60} ${x + 228} ${top + 220} Q${x + 120} ${top + 90} ${x + 122} ${top} Z" fill="url(#glass)" stroke="#fff" stroke-opacity="0.55" stroke-width="5"/>
    <path d="M${x + 176} ${top + 190} Q${x + 204} ${y - 120} ${x + 176} ${y - 60}" stroke="#fff" stroke-width="13" stroke-linecap="round" fill="none" opacity="0.75"/>
    <path d="M${x - 178} ${top + 210} Q${x - 200} ${y - 130} ${x - 182} ${y - 80}" stroke="#fff" stroke-width="7" stroke-linecap="round" fill="none" opacity="0.35"/>`;
}

/** The ceramic cone on the carafe, with its paper; `bed` draws what is in it. */
function dripper(x: number, y: number, bed: string): string {
  return `<ellipse cx="${x}" cy="${y}" rx="190" ry="30" fill="#cfc4b2"/><ellipse cx="${x}" cy="${y - 8}" rx="190" ry="28" fill="url(#ceramic)"/>
    <path d="M${x - 268} ${y - 268} L${x - 66} ${y - 6} Q${x} ${y + 14} ${x + 66} ${y - 6} L${x + 268} ${y - 268} Z" fill="url(#ceramic)"/>
    ${[-150, -90, -30, 30, 90, 150].map((d) => `<path d="M${x + d * 1.45} ${y - 226} Q${x + d * 0.9} ${y - 120} ${x + d * 0.34} ${y - 10}" stroke="#a99c86" stroke-width="4" fill="none" opacity="0.3"/>`).join('')}
    <path d="M${x + 262} ${y - 210} q120 10 96 92 q-26 66 -146 36" fill="none" stroke="url(#ceramic)" stroke-width="30" stroke-linecap="round"/>
    <ellipse cx="${x}" cy="${y - 268}" rx="270" ry="54" fill="#fff8ea"/>
    <path d="M${x - 246} ${y - 270} Q${x - 236} ${y - 318} ${x - 214} ${y - 330} Q${x} ${y - 366} ${x + 232} ${y - 334} L${x + 248} ${y - 268} Z" fill="url(#paper)"/>
    <ellipse cx="${x}" cy="${y - 268}" rx="246" ry="45" fill="#e7d9be"/>${bed}
    <path d="M${x - 246} ${y - 268} A246 45 0 0 0 ${x + 246} ${y - 268}" fill="none" stroke="#fffdf6" stroke-width="7" opacity="0.9"/>`;
}

const wetBed = (x: number, y: number, scaleBy: number, fill: string, more = ''): string =>
  `<ellipse cx="${x}" cy="${y - 262}" rx="${226 * scaleBy}" ry="${38 * scaleBy}" fill="${fill}"/>${more}`;

/** A gooseneck kettle; the water leaves the spout at (x, y). */
function kettle(x: number, y: number): string {
  return `<g transform="translate(${x} ${y}) rotate(-13)">
    <path d="M0 0 Q70 -20 110 70 Q150 210 300 230 L300 180 Q190 160 150 40 Q110 -50 6 -18 Z" fill="url(#steel)"/>
    <path d="M300 -60 Q270 150 262 290 Q430 340 650 290 Q640 150 610 -60 Z" fill="url(#steel)"/>
    <ellipse cx="455" cy="-60" rx="156" ry="30" fill="#8d989e"/><ellipse cx="455" cy="-66" rx="120" ry="20" fill="#4a555c"/>
    <rect x="430" y="-118" width="50" height="44" rx="18" fill="#1d1a18"/>
    <path d="M612 -20 Q800 -40 790 130 Q780 250 676 262" fill="none" stroke="#231a14" stroke-width="44" stroke-linecap="round"/>
    <path d="M560 -30 Q590 140 590 270" stroke="#fff2d8" stroke-width="16" stroke-linecap="round" fill="none" opacity="0.75"/>
  </g>`;
}

const stream = (x: number, from: number, to: number): string =>
  `<path d="M${x - 9} ${from} Q${x - 13} ${(from + to) / 2} ${x - 7} ${to} L${x + 8} ${to} Q${x + 3} ${(from + to) / 2} ${x + 6} ${from} Z" fill="url(#water)"/><ellipse cx="${x}" cy="${to}" rx="46" ry="12" fill="#fff" opacity="0.35"/>`;

function steam(x: number, y: number, strength: number): string {
  const wisps = [-80, 0, 90].map((d, i) => {
    const h = 330 + i * 60;
    return `<path d="M${x + d} ${y} q${60 - i * 50} ${-h * 0.3} 0 ${-h * 0.55} q${-70 + i * 40} ${-h * 0.25} ${20 + i * 12} ${-h * 0.5}" stroke="#fff" stroke-width="${34 + i * 8}" fill="none" stroke-linecap="round" opacity="${strength}"/>`;
  });
  return `<g filter="url(#steamBlur)">${wisps.join('')}</g>`;
}

function beans(x: number, y: number, count: number, spread: number): string {
  return Array.from({ length: count }, (_, i) => {
    const angle = i * 2.399;
    const r = Math.sqrt(i / count) * spread;
    const [bx, by] = [x + Math.cos(angle) * r, y + Math.sin(angle) * r * 0.26];
    return `<g transform="translate(${bx.toFixed(0)} ${by.toFixed(0)}) rotate(${(i * 67) % 180})"><ellipse rx="26" ry="17" fill="${['#4b2812', '#5d3418', '#3a1e0d'][i % 3]}"/><path d="M-23 0 Q0 ${i % 2 ? 8 : -8} 23 0" stroke="#1d0d05" stroke-width="4" fill="none"/><ellipse cx="6" cy="-8" rx="9" ry="3" fill="#c98c56" opacity="0.55"/></g>`;
  }).join('');
}

function cup(x: number, y: number, full: boolean): string {
  return `${shadow(x, y, 190)}<path d="M${x - 170} ${y - 220} Q${x - 160} ${y - 20} ${x - 80} ${y} L${x + 80} ${y} Q${x + 160} ${y - 20} ${x + 170} ${y - 220} Z" fill="url(#ceramic)"/>
    <path d="M${x + 160} ${y - 180} q120 -6 104 84 q-20 70 -132 52" fill="none" stroke="url(#ceramic)" stroke-width="26"/>
    <ellipse cx="${x}" cy="${y - 220}" rx="170" ry="36" fill="#fff8ea"/><ellipse cx="${x}" cy="${y - 216}" rx="152" ry="28" fill="${full ? '#4a250f' : '#d9ccb6'}"/>
    ${full ? `<ellipse cx="${x + 34}" cy="${y - 222}" rx="92" ry="12" fill="#b8743a" opacity="0.7"/>` : ''}`;
}

const X = 1860;
const BASE = COUNTER + 130;
const CONE = BASE - 62 - 340;
const onScale = (reading: string, level: number, bed: string): string =>
  scale(X, BASE, reading) + carafe(X, BASE - 62, level) + dripper(X, CONE, bed);
const ground = wetBed(X, CONE, 0.86, 'url(#bed)');

const scenes: Record<string, string> = {
  '01-weigh': `${scale(X, BASE, '20.0 g')}<ellipse cx="${X}" cy="${BASE - 70}" rx="270" ry="42" fill="#efe6d6"/><ellipse cx="${X}" cy="${BASE - 78}" rx="246" ry="32" fill="#d8cbb4"/>${beans(X, BASE - 104, 90, 200)}${beans(2190, BASE + 40, 22, 190)}${carafe(1120, BASE - 20, 0)}`,
  '02-rinse': `${onScale('0.0 g', 0.12, '')}${stream(X, 470, CONE - 268)}${kettle(X - 6, 470)}${steam(X - 40, CONE - 330, 0.3)}`,
  '03-bloom': `${onScale('45.2 g', 0.04, wetBed(X, CONE, 0.9, 'url(#bed)', [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => `<ellipse cx="${X + Math.cos(i * 2.4) * (40 + i * 14)}" cy="${CONE - 266 + Math.sin(i * 2.4) * 17}" rx="${17 - (i % 3) * 4}" ry="${9 - (i % 3) * 2}" fill="#c98c56" opacity="0.75"/>`).join('')))}${steam(X, CONE - 330, 0.42)}`,
  '04-first-pour': `${onScale('160 g', 0.28, ground)}${stream(X + 30, 470, CONE - 266)}${kettle(X + 24, 470)}${steam(X - 60, CONE - 340, 0.26)}`,
  '05-spiral': `${onScale('320 g', 0.62, wetBed(X, CONE, 1, '#6d3c1a', [0.9, 0.66, 0.42, 0.2].map((s) => `<ellipse cx="${X}" cy="${CONE - 262}" rx="${210 * s}" ry="${34 * s}" fill="none" stroke="#d7a26a" stroke-width="6" opacity="${1 - s * 0.6}"/>`).join('')))}${stream(X - 70, 452, CONE - 262)}${kettle(X - 76, 452)}`,
  '06-drawdown': `${onScale('318 g', 0.82, wetBed(X, CONE, 0.7, 'url(#bed)'))}<rect x="${X - 4}" y="${CONE + 20}" width="8" height="90" rx="4" fill="#6d3713"/>${steam(X, CONE - 330, 0.2)}`,
  '07-serve': `${carafe(1270, BASE - 10, 0.5)}${cup(1830, BASE + 30, true)}${cup(2240, BASE - 10, true)}${steam(1830, BASE - 220, 0.45)}${steam(2240, BASE - 260, 0.35)}${beans(1560, BASE + 90, 12, 110)}`,
};

/** Film grain, the same for every picture: a small generator instead of Math.random (Park and Miller, 1988). */
function grain(): Buffer {
  let seed = 20_260_101;
  const bytes = Buffer.alloc(W * H);
  for (let i = 0; i < bytes.length; i++) {
    seed = (seed * 48_271) % 2_147_483_647;
    bytes[i] = 120 + (seed % 17);
  }
  return bytes;
}

const noise = await sharp(grain(), { raw: { width: W, height: H, channels: 1 } })
  .png()
  .toBuffer();
for (const [name, objects] of Object.entries(scenes)) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${W}" height="${H}" viewBox="0 0 ${W} ${H}"><defs>${gradients}</defs>${room()}${objects}</svg>`;
  await sharp(Buffer.from(svg))
    .composite([{ input: noise, blend: 'soft-light' }])
    .jpeg({ quality: 82, mozjpeg: true })
    .toFile(`${OUT}${name}.jpg`);
}
