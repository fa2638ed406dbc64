// swift-tools-version: 6.3
// Gives libFuzzer every reader of bytes from strangers. A package of its own, since all of it, what it depends on too, is
// built with sanitizers: `make fuzz`. The replay of what was found is a test of the main package.
import PackageDescription

let package = Package(
    name: "fuzzing",
    dependencies: [.package(name: "rrdata", path: "../..")],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "RRData", package: "rrdata"), .product(name: "RRTraining", package: "rrdata"),
            ],
            path: ".", sources: ["Readers", "Driver"],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ])
    ]
)
