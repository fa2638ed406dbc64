import RRDatasets
import RRFormats
import RRPreparation
import RRTensor
import TestSupport
import Testing

@Suite("Masks for some of the images")
struct MaskedSamplesTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.makeSource(
            SourceArray("/x", [4, 1, 1, 3], [UInt8](0..<12)),
            SourceArray("/two", [2, 1, 1, 3], [UInt8(1), 0, 0, 0, 1, 1]),
            SourceArray("/four", [4, 1, 1, 3], [UInt8(1), 0, 0, 0, 1, 1, 9, 9, 9, 0, 0, 0]),
            SourceArray("/soft", [4, 1, 1, 3], [0.0, 0.5, 0.49, 1, 0, 0, 0, 0, 0.1, 0.9, 0.9, 0.9]),
            SourceArray("/palette", [4, 1, 1, 3], [UInt8(0), 2, 3, 1, 1, 1, 3, 0, 0, 2, 2, 255]),
            SourceArray("/rows", [2], [Int32(3), 1]), SourceArray("/beyond", [2], [Int32(3), 4]),
            SourceArray("/twice", [2], [Int64(1), 1]), SourceArray("/flags", [4], [UInt8(0), 1, 0, 1]),
            SourceArray("/few-flags", [4], [UInt8(0), 1, 0, 0]),
            SourceArray("/no-flags", [4], [UInt8(0), 1, 0, 7]),
            SourceArray("/first-flags", [4], [UInt8(1), 1, 0, 0]))
    }

    func run(_ masks: String, _ change: (inout ArrayImport.Options) -> Void = { _ in }) throws
        -> ImportSummary
    {
        var options = ArrayImport.Options(images: ["/x"])
        (options.layout, options.masks) = (.nchw, [masks])
        change(&options)
        return try ArrayImport(
            format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"),
            masksOutput: folder.path("masks.h5"), options: options
        ).run()
    }

    func error(_ masks: String, _ change: (inout ArrayImport.Options) -> Void = { _ in }) throws
        -> DatasetError?
    {
        let error = #expect(throws: DatasetError.self) { try run(masks, change) }
        #expect(try folder.names() == ["in.h5"])
        return error
    }

    /// Each sample's mask, nil where it has no row in the mask set.
    func masks() throws -> [[Int]?] {
        let file = try HDF5File(reading: folder.path("masks.h5"))
        let all = try file.dataset("/A").readAll(as: Int64.self).map { Int($0) }
        return try file.dataset("/row").readAll(as: Int64.self).map { row in
            let start = Int(row) * 3
            return start + 3 == all.count ? nil : Array(all[start..<start + 3])
        }
    }

    @Test("by row numbers, in their order")
    func rows() throws {
        #expect(try run("/two") { $0.rows = "/rows" }.masks?.annotatedCount == 2)
        #expect(try masks() == [nil, [0, 1, 1], nil, [1, 0, 0]])
    }

    @Test("by ids, which are the row numbers here")
    func ids() throws {
        _ = try run("/two") { $0.ids = "/rows" }
        #expect(try masks() == [nil, [0, 1, 1], nil, [1, 0, 0]])
    }

    @Test("by flags, with a mask for each flagged image")
    func flags() throws {
        _ = try run("/two") { $0.flags = "/flags" }
        #expect(try masks() == [nil, [1, 0, 0], nil, [0, 1, 1]])
    }

    @Test("by flags, with a mask for each image; those of images without a flag are not looked at")
    func flagsOfAll() throws {
        _ = try run("/four") { $0.flags = "/first-flags" }
        #expect(try masks() == [[1, 0, 0], [0, 1, 1], nil, nil])
    }

    @Test("another number of masks, and rows, ids and flags that do not fit, are refused")
    func refused() throws {
        let order = try error("/two")
        #expect(order?.code == .wrongShape && order?.message.contains("2 masks for 4 images") == true)
        #expect(order?.message.contains("`flags`") == true)
        let beyond = try error("/two") { $0.rows = "/beyond" }
        #expect(beyond?.code == .indexOutOfRange && beyond?.message.contains("element 1 is 4") == true)
        let unknown = try error("/two") { $0.ids = "/beyond" }
        #expect(unknown?.code == .indexOutOfRange && unknown?.message.contains("“4”") == true)
        #expect(try error("/two") { $0.rows = "/twice" }?.code == .duplicateId)
        #expect(try error("/two") { $0.ids = "/twice" }?.code == .duplicateId)
        #expect(try error("/two") { $0.flags = "/few-flags" }?.code == .wrongShape)
        #expect(try error("/two") { $0.flags = "/no-flags" }?.code == .wrongType)
        #expect(try error("/two") { $0.flags = "/rows" }?.code == .wrongShape)
        #expect(try error("/two") { ($0.rows, $0.flags) = ("/rows", "/flags") }?.code == .invalidOption)
    }

    @Test("soft masks by the least value that counts")
    func threshold() throws {
        _ = try run("/soft") { $0.maskThreshold = 0.5 }
        #expect(try masks() == [[0, 1, 0], [1, 0, 0], nil, [1, 1, 1]])
    }

    @Test("masks by the values that count")
    func values() throws {
        _ = try run("/palette") { $0.maskValues = [2, 3] }
        #expect(try masks() == [[0, 1, 1], nil, [1, 0, 0], [1, 1, 0]])
        #expect(
            #expect(throws: DatasetError.self) {
                try run("/palette") {
                    ($0.maskValues, $0.maskThreshold, $0.force) = ([2], 1, true)
                }
            }?.code == .invalidOption)
    }

    @Test(
        "a mask of zeros is a row where the user says so, and marks all where its marks are of right regions")
    func empty() throws {
        _ = try run("/palette") { ($0.maskValues, $0.empty) = ([2, 3], .annotated) }
        #expect(try masks() == [[0, 1, 1], [0, 0, 0], [1, 0, 0], [1, 1, 0]])
        _ = try run("/palette") {
            ($0.maskValues, $0.empty, $0.marks, $0.force) = ([2, 3], .annotated, .right, true)
        }
        #expect(try masks() == [[1, 0, 0], [1, 1, 1], [0, 1, 1], [0, 0, 1]])
    }

    @Test("options of masks without masks are refused")
    func withoutMasks() {
        for change: (inout ArrayImport.Options) -> Void in [
            { $0.rows = "/rows" }, { $0.flags = "/flags" }, { $0.maskThreshold = 1 }, { $0.maskValues = [1] },
            { $0.empty = .annotated },
        ] {
            var options = ArrayImport.Options(images: ["/x"])
            change(&options)
            let alone = ArrayImport(
                format: .hdf5, files: [folder.path("in.h5")], output: folder.path("out.h5"), options: options)
            #expect(#expect(throws: DatasetError.self) { try alone.run() }?.code == .invalidOption)
        }
    }
}
