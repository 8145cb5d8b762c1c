//! `gatepost generate`: man pages and shell completions from the same definitions that parse the arguments. Packagers
//! call it; it is not listed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::output::{self, Failure};

/// Arguments.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder that gets `man/` and `completions/`
    folder: PathBuf,
}

/// Writes all of them.
pub fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let mut command = crate::Arguments::command().disable_help_subcommand(true);
    command.build();
    let man = made(arguments.folder.join("man"))?;
    pages(&command, "gatepost", &man)?;
    let completions = made(arguments.folder.join("completions"))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let path = completions.join(clap_complete::Generator::file_name(&shell, "gatepost"));
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut crate::Arguments::command(), "gatepost", &mut text);
        write(&path, &text)?;
    }
    Ok(output::DONE)
}

/// A page for a command and for each that it has, as git does it: `gatepost-user-add.1`.
fn pages(command: &clap::Command, name: &str, folder: &Path) -> Result<(), Failure> {
    let page = command.clone().bin_name(name.replace('-', " ")).display_name(name.to_owned());
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .title(name.to_uppercase())
        // Where a date is left out, the fields after it move up, and the header grows too wide for long names.
        .date(env!("CARGO_PKG_VERSION"))
        .source(concat!("Gatepost ", env!("CARGO_PKG_VERSION")))
        .manual("Gatepost")
        .render(&mut text)
        .map_err(|error| Failure::new(format!("the page of {name} cannot be rendered: {error}")))?;
    write(&folder.join(format!("{name}.1")), readable(&text).as_bytes())?;
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        pages(inner, &format!("{name}-{}", inner.get_name()), folder)?;
    }
    Ok(())
}

/// The page as a reader of man pages expects it: what follows the options under a heading that says so, its examples
/// line by line, and every character in a form that all formatters know.
fn readable(page: &[u8]) -> String {
    let mut text = String::new();
    let mut examples = false;
    for line in String::from_utf8_lossy(page).lines() {
        if line.starts_with(".SH") && std::mem::take(&mut examples) {
            text.push_str(".fi\n");
        }
        if line == ".SH EXTRA" {
            text.push_str(".SH \"EXAMPLES AND EXIT STATUS\"\n.nf\n");
            examples = true;
            continue;
        }
        for character in line.chars() {
            match character {
                '\0'..='\x7f' => text.push(character),
                other => text.push_str(&format!("\\[u{:04X}]", u32::from(other))),
            }
        }
        text.push('\n');
    }
    if examples {
        text.push_str(".fi\n");
    }
    text
}

fn made(folder: PathBuf) -> Result<PathBuf, Failure> {
    match fs::create_dir_all(&folder) {
        Ok(()) => Ok(folder),
        Err(error) => Err(Failure::new(format!("{} cannot be made: {error}", folder.display()))),
    }
}

fn write(path: &Path, text: &[u8]) -> Result<(), Failure> {
    fs::File::create(path)
        .and_then(|mut file| file.write_all(text))
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
}
