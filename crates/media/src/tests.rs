mod executor;
mod id;
mod lifetime;
mod stream;
mod threads;
mod track;
