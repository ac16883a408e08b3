import { describe, expect, it } from 'vitest';
import { dashboards } from '../../support/dashboards.ts';

describe.each(dashboards)('the dashboard "$title"', ({ panels }) => {
  it('has a row for each question', () => {
    const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Is it healthy?', 'Is it fast?', 'What is it doing?', 'What is it costing?']);
  });

  it('says of each panel what it shows', () => {
    for (const { type, title, description } of panels)
      if (type !== 'row') expect(description, title).toMatch(/\.$/);
  });
});
