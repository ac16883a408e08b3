import { render } from 'preact';
import './styles/base.css';
import './styles/controls.css';
import './styles/editor.css';
import './styles/player.css';
import './styles/pages.css';
import { App } from './app.tsx';

const root = document.getElementById('studio');
if (root) render(<App />, root);
