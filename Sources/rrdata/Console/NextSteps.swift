import RRDatasets
import RRFormats
import RRTraining

/// What somebody may want to do next with the files of a folder: what `rrdata` says without arguments.
struct NextSteps {
    /// What lies in the folder, as far as a first look tells: names, sorted.
    private var datasets: [(name: String, fingerprint: String)] = []
    private var masks: [(name: String, fingerprint: String)] = []
    private var runs: [(name: String, fingerprint: String?)] = []
    private var unfinished: [String] = []
    private var imageFolders: [String] = []
    /// Folders of images that are called as masks are.
    private var maskFolders: [String] = []
    /// Files of arrays, and the command that reads them.
    private var arrays: [(name: String, command: String)] = []

    /// The names that are looked at; in a folder of thousands of files nobody wants the rest.
    private static let mostNames = 500

    /// - Parameter folder: what is in it is only looked at.
    init(in folder: String) {
        for name in (FileTree.names(in: folder) ?? []).filter({ !$0.hasPrefix(".") }).sorted().prefix(
            Self.mostNames)
        {
            let path = folder == "." ? name : folder + "/" + name
            switch FileTree.kind(of: path) {
            case .folder?: addFolder(name, at: path)
            case .file?: addFile(name, at: path)
            default: break
            }
        }
    }

    private mutating func addFolder(_ name: String, at path: String) {
        if name.hasSuffix(".unfinished") {
            unfinished.append(String(name.dropLast(".unfinished".count)))
        } else if let run = try? Run(path: path) {
            runs.append((name, run.datasetFingerprint))
        } else if Self.holdsImages(path, depth: 3) {
            let isOfMasks = ["mask", "annotation", "segment"].contains { name.lowercased().contains($0) }
            if isOfMasks { maskFolders.append(name) } else { imageFolders.append(name) }
        }
    }

    private mutating func addFile(_ name: String, at path: String) {
        guard let signature = try? FileSignature.of(path) else { return }
        switch signature {
        case .hdf5:
            let file = try? HDF5File(reading: path)
            switch file?.text("format").flatMap(FileFormat.init) {
            case .dataset?: datasets.append((name, file?.text("fingerprint") ?? ""))
            case .masks?: masks.append((name, file?.text("dataset_fingerprint") ?? ""))
            case nil: arrays.append((name, "import hdf5 \(Self.word(name)) --images PATH"))
            }
        case .npy: arrays.append((name, "import npy \(Self.word(name))"))
        case .zip where name.hasSuffix(".npz"): arrays.append((name, "import npz \(Self.word(name))"))
        case .idx: arrays.append((name, "import idx \(Self.word(name))"))
        default: break
        }
    }

    /// Whether a folder, or the first folders in it, has an image.
    private static func holdsImages(_ path: String, depth: Int) -> Bool {
        let names = (FileTree.names(in: path) ?? []).sorted().prefix(50)
        let endings = [".png", ".jpg", ".jpeg"]
        if names.contains(where: { name in endings.contains { name.lowercased().hasSuffix($0) } }) {
            return true
        }
        return depth > 1
            && names.prefix(5).contains { name in
                FileTree.kind(of: path + "/" + name) == .folder
                    && holdsImages(path + "/" + name, depth: depth - 1)
            }
    }

    private static func word(_ name: String) -> String { RunCommandLine.quoted(name) }

    /// The lines, from what is begun to what is not.
    var text: String {
        let steps = steps
        var lines = ["rrdata trains image classifiers that are right for the right reasons."]
        if steps.isEmpty {
            lines += [
                "",
                "There is nothing here that it reads. Begin with a folder that has a folder of images for each class:",
                "", "  rrdata import images FOLDER -o images.h5",
            ]
        } else {
            lines += ["", "With what lies here, next may be:", ""]
            let width = steps.map(\.command.count).max() ?? 0
            lines += steps.map { step in
                "  \(step.command)\(String(repeating: " ", count: min(width, 72) > step.command.count ? min(width, 72) - step.command.count : 0))  \(step.reason)"
            }
        }
        return
            (lines + [
                "",
                "`rrdata --help` lists all commands, `rrdata help COMMAND` has their options and examples.",
            ])
            .joined(separator: "\n")
    }

    private var steps: [(command: String, reason: String)] {
        var steps: [(command: String, reason: String)] = []
        for name in unfinished {
            steps.append(
                (
                    "rrdata train … -o \(Self.word(name)) --resume",
                    "goes on with the run, with the options that it was started with"
                ))
        }
        let known = Set(datasets.map(\.fingerprint))
        for dataset in datasets.prefix(3) {
            let data = Self.word(dataset.name)
            let mask =
                masks.first { $0.fingerprint == dataset.fingerprint }.map { " --masks \(Self.word($0.name))" }
                ?? ""
            if mask.isEmpty {
                for folder in maskFolders.prefix(1) {
                    steps.append(
                        (
                            "rrdata import masks \(Self.word(folder)) --for \(data) -o \(Self.word(folder + ".h5"))",
                            "takes the masks"
                        ))
                }
            }
            let own = runs.filter { $0.fingerprint == dataset.fingerprint }.map(\.name)
            if own.isEmpty {
                steps.append(
                    (
                        "rrdata preview \(data)\(mask) -o preview.png",
                        "shows samples" + (mask.isEmpty ? "" : " with their masks")
                    ))
                steps.append(("rrdata train \(data)\(mask) --model lenet -o run", "trains a model"))
            } else {
                let names = own.prefix(6).map(Self.word).joined(separator: " ")
                steps.append(
                    (
                        "rrdata report \(names) --data \(data)\(mask) -o report.html",
                        "makes a page about the runs"
                    ))
                if mask.isEmpty {
                    steps.append(
                        (
                            "rrdata make-masks \(data) --run \(Self.word(own[0])) --top-fraction 0.02 -o masks.h5",
                            "marks what the model looks at"
                        ))
                }
            }
        }
        for mask in masks where !known.contains(mask.fingerprint) {
            steps.append(
                (
                    "rrdata info \(Self.word(mask.name))",
                    "says what dataset these masks are for: none that lies here"
                ))
        }
        for folder in imageFolders.prefix(3) where datasets.isEmpty {
            steps.append(
                (
                    "rrdata import images \(Self.word(folder)) -o \(Self.word(folder + ".h5"))",
                    "makes a dataset of the images"
                ))
        }
        for (name, command) in arrays.prefix(3) where datasets.isEmpty {
            steps.append(("rrdata info \(Self.word(name))", "lists the arrays in it"))
            steps.append(("rrdata \(command) -o dataset.h5", "makes a dataset of them"))
        }
        return steps
    }
}
