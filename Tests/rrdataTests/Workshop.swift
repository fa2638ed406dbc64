import Foundation
import RRSchemas
import TestSupport

/// A folder with a small dataset, its decoys and two short runs, made once by the commands themselves.
enum Workshop {
    static let shared: Result<TemporaryFolder, any Error> = Result { try build() }

    /// The images of each class: 12 to train on, 6 to test on.
    static let sampleCount = 10 * (12 + 6)

    struct Failure: Error {
        let command: [String]
        let errors: String
    }

    /// Runs a command in the folder.
    static func run(_ arguments: String...) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(arguments, in: shared.get().path)
    }

    /// Runs a command that must succeed, and parses what it prints.
    static func json(_ arguments: String...) throws -> JSONValue {
        let outcome = try CommandLineTool.run(arguments + ["--json"], in: shared.get().path)
        guard outcome.status == 0 else { throw Failure(command: arguments, errors: outcome.errors) }
        return try JSONValue(parsing: outcome.text)
    }

    static func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: shared.get().path(name)))
    }

    private static func build() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let files = FileManager.default
        for (split, count) in [("train", 12), ("test", 6)] {
            let source = Fixtures.path("fashion/\(split)")
            for name in try files.contentsOfDirectory(atPath: source) {
                let target = folder.path("images/\(split)/\(name)")
                try files.createDirectory(atPath: target, withIntermediateDirectories: true)
                for image in try files.contentsOfDirectory(atPath: "\(source)/\(name)").sorted().prefix(count)
                {
                    try files.copyItem(atPath: "\(source)/\(name)/\(image)", toPath: "\(target)/\(image)")
                }
            }
        }
        for line in [
            "import pngs images -o fashion.h5",
            "decoy fashion.h5 -o decoy.h5 --masks-output masks.h5 --random-split test --seed 3",
            "train decoy.h5 --model mlp --batch-size 16 --epochs 2 -o plain",
            "train decoy.h5 --masks masks.h5 --lambda1 1 --model mlp --batch-size 16 --epochs 2 -o right",
        ] {
            let arguments = line.split(separator: " ").map(String.init)
            let outcome = try CommandLineTool.run(arguments, in: folder.path)
            guard outcome.status == 0 else { throw Failure(command: arguments, errors: outcome.errors) }
        }
        return folder
    }
}
