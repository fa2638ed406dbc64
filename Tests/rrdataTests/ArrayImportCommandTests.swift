import RRFormats
import RRTensor
import TestSupport
import Testing

@Suite("rrdata import hdf5, npy, npz and idx")
struct ArrayImportCommandTests {
    @Test("a MedMNIST file imports with one command, and the dataset is sound")
    func medical() throws {
        let folder = try TemporaryFolder()
        let source = Fixtures.path("formats/npz/medmnist.npz")
        let imported = try CommandLineTool.run(
            ["import", "npz", source, "-o", "d.h5", "--json"], in: folder.path)
        #expect(imported.status == 0, "\(imported.errors)")
        #expect(imported.text.contains("\"val\": 1"))
        #expect(try CommandLineTool.run(["validate", "d.h5"], in: folder.path).status == 0)
    }

    @Test(
        "the failure of one thread on a full disk is the error of all, and leaves nothing",
        arguments: ["none", "deflate"])
    func fullDisk(compression: String) throws {
        let folder = try TemporaryFolder()
        // Bytes that deflate makes no smaller.
        var generator = SplitMix64(seed: 1)
        let noise = (0..<4 << 20).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        try folder.write(NPYHeader.bytes(shape: [4096, 32, 32], type: .uint8) + noise, to: "x.npy")
        for _ in 0..<5 {
            let command =
                "ulimit -f 500; \(CommandLineTool.path) import npy x.npy -o d.h5 --compress \(compression)"
            let outcome = try ChildProcess.run("/bin/bash", ["-c", command], in: folder.path)
            #expect(outcome.status == 73, "\(outcome.errors)")
            #expect(outcome.errors.contains("File too large"), "\(outcome.errors)")
            #expect(try folder.names() == ["x.npy"])
        }
    }

    @Test(
        "an array without elements whose rows would overflow ends with 65",
        arguments: ["import npy x.npy -o d.h5", "import npy x.npy --layout NCHW -o d.h5", "info x.npy"])
    func overflowBesideZero(command: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(NPYHeader.bytes(shape: [0, 1 << 60, 3, 4], type: .uint8), to: "x.npy")
        let outcome = try CommandLineTool.run(command.split(separator: " ").map(String.init), in: folder.path)
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(outcome.errors.contains("x.npy"), "\(outcome.errors)")
        #expect(outcome.errors.contains("more elements than memory can address"), "\(outcome.errors)")
    }

    @Test(
        "hostile and wrong files end with 65, missing arrays with 66, and arrays that are not named with 64",
        arguments: [
            ("hdf5 hdf5/vast.h5 --images contiguous --shape 1x2048x2048", 65, "can hold"),
            ("hdf5 hdf5/vast.h5 --images chunked --shape 1x2048x2048", 65, "can hold"),
            ("hdf5 hdf5/elsewhere.h5 --images virtual", 65, "--trust-links"),
            ("hdf5 hdf5/types.h5 --images nope", 66, "/ holds"),
            ("hdf5 hdf5/types.h5", 64, "--images names the array of images"),
            ("hdf5 hdf5/types.h5 hdf5/types.h5", 64, "--images names the array of images"),
            ("npy npz", 64, "none of `rrdata export npy`"),
            ("npz npz/named.npz --images nope", 66, "pixels"),
            ("npz npz/damaged-vast.npz", 64, "--images"),
            ("npz npz/damaged-vast.npz --images a", 65, "cannot inflate"),
            ("npy npy/damaged-vast-header.npy", 65, "claims 1073741824 bytes"),
            ("npz npz/several-labels.npz", 65, "row 0 has 2 classes"),
            ("idx idx/damaged-vast", 65, "more elements"),
        ])
    func refused(line: String, status: Int32, words: String) throws {
        let folder = try TemporaryFolder()
        let arguments =
            ["import"] + line.split(separator: " ").map(String.init) + ["-o", folder.path("d.h5")]
        let outcome = try CommandLineTool.run(arguments, in: Fixtures.path("formats"))
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(try folder.names() == [])
    }
}
