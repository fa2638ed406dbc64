import Foundation
import RRSchemas
import TestSupport
import Testing

@Suite("rrdata train --tensorboard")
struct TensorBoardCommandTests {
    private static let options = [
        "train", "decoy.h5", "--masks", "masks.h5", "--lambda1", "1", "--model", "mlp", "--batch-size", "16",
        "--validation", "test",
    ]

    private func train(_ words: String...) throws -> ChildProcess.Outcome {
        try CommandLineTool.run(Self.options + words, in: Workshop.shared.get().path)
    }

    /// A scalar as a file has it.
    private struct Scalar: Hashable {
        let tag: String
        let step: Int
        let value: Float
    }

    /// The scalars of a folder's files in order, each with the step from which its session begins.
    private func sessions(_ folder: String) throws -> [(start: Int, scalars: [Scalar])] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            #expect(name.wholeMatch(of: /events\.out\.tfevents\.\d{10}\.rrdata/) != nil)
            var bytes = ArraySlice(try Data(contentsOf: URL(filePath: folder + "/" + name)))
            var (start, scalars) = (-1, [Scalar]())
            while !bytes.isEmpty {
                let length = Int(MessageBytes.number(bytes.prefix(8)))
                let event = MessageBytes.fields(bytes.dropFirst(12).prefix(length))
                let step = event.first { $0.number == 2 }.map { Int($0.value) } ?? 0
                for field in event {
                    if field.number == 7 { start = step }
                    guard field.number == 5 else { continue }
                    for value in MessageBytes.fields(field.bytes) {
                        let parts = MessageBytes.fields(value.bytes)
                        let bits = try #require(parts.last).value
                        scalars.append(
                            Scalar(
                                tag: String(decoding: try #require(parts.first).bytes, as: UTF8.self),
                                step: step,
                                value: Float(bitPattern: UInt32(bits))))
                    }
                }
                bytes = bytes.dropFirst(16 + length)
            }
            return (start, scalars)
        }
    }

    /// What the metrics of a run say.
    private func recorded(_ run: String) throws -> Set<Scalar> {
        var scalars: Set<Scalar> = []
        let lines = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        for line in lines {
            let object = try #require(try JSONValue(parsing: String(line)).objectValue)
            let isEpoch = object["kind"] == "epoch"
            let step = try #require(object[isEpoch ? "epoch" : "step"]?.integerValue)
            func add(_ group: String, _ figures: [String: JSONValue]) {
                for (name, figure) in figures where name != (isEpoch ? "epoch" : "step") {
                    guard let value = figure.doubleValue else { continue }
                    scalars.insert(Scalar(tag: "\(group)/\(name)", step: step, value: Float(value)))
                }
            }
            add(isEpoch ? "epoch" : "step", object)
            add("validation", object["validation"]?.objectValue ?? [:])
        }
        return scalars
    }

    @Test("every number of metrics.jsonl is shown, and a run that goes on adds a file from its step on")
    func scalars() throws {
        let folder = try TemporaryFolder()
        let (run, log) = (folder.path("run"), folder.path("logs/run"))
        #expect(try train("--epochs", "1", "-o", run, "--tensorboard", log).status == 0)
        let first = try sessions(log)
        #expect(first.map(\.start) == [0])
        #expect(try Set(first[0].scalars) == recorded(run))
        #expect(first[0].scalars.count == Set(first[0].scalars).count)

        let outcome = try train("--epochs", "2", "--resume", "-o", run, "--tensorboard", log)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let both = try sessions(log)
        let stepCount = first[0].scalars.count { $0.tag == "step/loss" }
        #expect(both.map(\.start) == [0, stepCount])
        #expect(try Set(both.flatMap(\.scalars)) == recorded(run))
        for tag in ["step/penalty", "step/learning_rate", "epoch/loss", "validation/accuracy"] {
            #expect(both[1].scalars.contains { $0.tag == tag }, "\(tag)")
        }

        // Done already, so that there is nothing to add.
        #expect(try train("--epochs", "2", "--resume", "-o", run, "--tensorboard", log).status == 0)
        #expect(try sessions(log).count == 2)
    }

    @Test("a folder of another run's event files, a file, and the run itself are refused before a step")
    func refused() throws {
        let folder = try TemporaryFolder()
        try folder.write([], to: "logs/events.out.tfevents.1.host")
        try folder.write([], to: "file")
        for (log, status, words) in [
            ("logs", 73, "has event files"), ("file", 73, "names a folder"),
            ("run/logs", 73, "outside the run's own folder"), ("run", 64, "name the same file"),
        ] {
            let outcome = try train(
                "--epochs", "1", "-o", folder.path("run"), "--tensorboard", folder.path(log))
            #expect(outcome.status == status && outcome.errors.contains(words), "\(log): \(outcome.errors)")
            #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
        }
        let outcome = try train(
            "--epochs", "1", "-o", folder.path("run"), "--tensorboard", folder.path("logs"), "--force")
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}

/// Messages of Protocol Buffers, as their encoding is documented.
private enum MessageBytes {
    struct Field {
        let number: Int
        /// Of a number.
        var value: UInt64 = 0
        /// Of all else.
        var bytes: ArraySlice<UInt8> = []
    }

    /// The least significant byte first.
    static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func fields(_ bytes: ArraySlice<UInt8>) -> [Field] {
        var (rest, fields) = (bytes, [Field]())
        func variable() -> UInt64 {
            var (value, shift) = (UInt64(0), UInt64(0))
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 127) << shift
                shift += 7
                if byte < 128 { break }
            }
            return value
        }
        func taken(_ count: Int) -> ArraySlice<UInt8> {
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        while !rest.isEmpty {
            let key = variable()
            let number = Int(key >> 3)
            switch key & 7 {
            case 0: fields.append(Field(number: number, value: variable()))
            case 1: fields.append(Field(number: number, value: Self.number(taken(8))))
            case 5: fields.append(Field(number: number, value: Self.number(taken(4))))
            default: fields.append(Field(number: number, bytes: taken(Int(variable()))))
            }
        }
        return fields
    }
}
