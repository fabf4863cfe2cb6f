mod executor;
mod id;
mod lifetime;
mod locks;
mod stream;
mod threads;
mod track;
