import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("Streams that go on", .serialized)
struct StreamCursorTests {
    /// Images, labels, index and masks of a batch of 8 decoys: four headers of 128 bytes and their elements.
    private static let batchSize = 4 * 128 + 8 * (784 * 4 + 8 + 8 + 784)
    private static let options = [
        "stream", "decoy.h5", "--masks", "masks.h5", "--batch-size", "8", "--shuffle", "--seed", "5",
        "--epochs",
        "40", "--augment", "hflip,crop:2", "--format", "npy",
    ]

    private func run(_ arguments: [String]) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(arguments, in: Workshop.shared.get().path)
    }

    private func position(_ cursor: String) throws -> (epoch: Int, position: Int) {
        let json = try JSONValue(parsing: [UInt8](Workshop.bytes(cursor)))
        return (
            try #require(json["epoch"]?.integerValue), try #require(json["position"]?.integerValue)
        )
    }

    @Test("a stream that is killed goes on from its cursor: nothing is lost, and nothing comes twice")
    func killed() throws {
        let folder = try Workshop.shared.get()
        let whole = try run(Self.options).output
        // 120 samples in batches of 8, 40 times.
        try #require(whole.count == 40 * 15 * Self.batchSize)
        for (number, goal) in [0, 1, 400_000, 3_000_000, 9_000_000].enumerated() {
            let cursor = "killed-\(number).json"
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(filePath: CommandLineTool.path)
            process.arguments = Self.options + ["--cursor", cursor]
            process.currentDirectoryURL = URL(filePath: folder.path)
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            try process.run()
            var before = Data()
            while before.count < goal {
                before += pipe.fileHandleForReading.availableData
                usleep(2_000)
            }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            // What the pipe still holds is not read: the reader ended as well.
            guard FileManager.default.fileExists(atPath: folder.path(cursor)) else {
                #expect(goal == 0)
                continue
            }
            let place = try position(cursor)
            let taken = (place.epoch * 15 + place.position / 8) * Self.batchSize
            #expect(taken <= before.count, "the cursor is behind what was read from the pipe")
            #expect(goal < 3_000_000 || taken > 0)
            #expect(before.prefix(taken) == whole.prefix(taken))
            let rest = try run(Self.options + ["--cursor", cursor]).output
            #expect(rest == whole.dropFirst(taken), "after \(taken) bytes")
            #expect(try position(cursor) == (40, 0))
            #expect(try run(Self.options + ["--cursor", cursor]).output.isEmpty)
        }
    }

    @Test("a reader that closes the pipe finds a cursor behind what it read")
    func closed() throws {
        let whole = try run(Self.options).output
        let folder = try Workshop.shared.get()
        let command =
            "\(CommandLineTool.path) \((Self.options + ["--cursor", "closed.json"]).joined(separator: " "))"
        let outcome = try ChildProcess.run(
            "/bin/sh", ["-c", "{ \(command); echo $? >&2; } | head -c 500000"], in: folder.path)
        #expect(outcome.errors == "0\n" && outcome.output.count == 500_000)
        let place = try position("closed.json")
        let taken = (place.epoch * 15 + place.position / 8) * Self.batchSize
        #expect(taken <= 500_000 && taken > 500_000 - 3 * 65_536)
        #expect(try run(Self.options + ["--cursor", "closed.json"]).output == whole.dropFirst(taken))
    }

    @Test("ranks share a stream, and go on as another number of ranks from one cursor")
    func ranks() throws {
        func samples(_ rank: Int, _ world: Int, _ cursor: String) throws -> Int {
            let json = try Workshop.json(
                "stream", "decoy.h5", "--batch-size", "8", "--rank", "\(rank)", "--world", "\(world)",
                "--cursor",
                cursor, "--format", "null")
            #expect(json["batches"] == .integer((120 / world + 7) / 8))
            return try #require(json["samples"]?.integerValue)
        }
        #expect(try (0..<7).map { try samples($0, 7, "rank-\($0).json") } == [18, 17, 17, 17, 17, 17, 17])
        #expect(try position("rank-3.json") == (1, 0))
    }

    @Test(
        "what does not fit the cursor is refused by name",
        arguments: [
            ("--batch-size 8 --seed 1", 64, "--seed"), ("--batch-size 9", 64, "--batch-size"),
            ("--batch-size 8 --shuffle", 64, "--shuffle"),
            ("--batch-size 8 --split test", 64, "--split"),
            ("--batch-size 8 --drop-last", 64, "--drop-last"),
            ("--batch-size 8 --masks masks.h5", 65, "mask set"),
            ("--batch-size 8 --augment hflip", 64, "--augment"),
            ("--batch-size 8 --augment spin", 64, "--augment"),
            ("--batch-size 8 --rank 2 --world 2", 64, "--rank"),
            ("--batch-size 8 --world 0", 64, "--world"),
            ("--batch-size 8 --annotated-fraction 2", 64, "--annotated-fraction"),
            ("--batch-size 8 --balance 0,0", 64, "--balance"),
            ("--batch-size 8 --ids nothing.txt", 66, "nothing.txt"),
            ("--batch-size 8 --cursor fresh.json --ids unknown.txt", 65, "nobody"),
            ("--batch-size 8 --raw --augment hflip", 64, "--raw"),
            ("--batch-size 8 --cursor fresh.json --annotated-only", 64, "--masks"),
            ("--batch-size 8 --cursor no/c.json", 73, "no/c.json"),
        ])
    func refusals(options: String, status: Int32, name: String) throws {
        let folder = try Workshop.shared.get()
        try Data("nobody\n".utf8).write(to: URL(filePath: folder.path("unknown.txt")))
        let begin = ["stream", "decoy.h5", "--format", "null", "--cursor", "refusals.json"]
        #expect(try run(begin + ["--batch-size", "8"]).status == 0)
        let outcome = try run(begin + options.split(separator: " ").map(String.init))
        #expect(outcome.status == status)
        #expect(outcome.errors.contains(name), "\(outcome.errors)")
    }

    @Test("another dataset than the cursor's is refused")
    func otherDataset() throws {
        let arguments = ["--batch-size", "8", "--format", "null", "--cursor", "other.json"]
        #expect(try run(["stream", "decoy.h5"] + arguments).status == 0)
        let outcome = try run(["stream", "fashion.h5"] + arguments)
        #expect(outcome.status == 65 && outcome.errors.contains("another dataset"))
    }

    @Test("training can augment, and its configuration says so")
    func training() throws {
        let outcome = try run([
            "train", "decoy.h5", "--masks", "masks.h5", "--lambda1", "1", "--model", "mlp", "--batch-size",
            "16",
            "--epochs", "2", "--augment", "hflip,crop:2", "-o", "augmented",
        ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let configuration = try JSONValue(parsing: [UInt8](Workshop.bytes("augmented/config.json")))
        #expect(configuration["options"]?["augment"] == "hflip,crop:2")
        let plain = try Workshop.bytes("right/weights.safetensors")
        #expect(try Workshop.bytes("augmented/weights.safetensors") != plain)
    }
}
