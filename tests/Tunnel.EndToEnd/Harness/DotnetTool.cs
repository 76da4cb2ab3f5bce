namespace Tunnel.EndToEnd.Harness;

/// <summary>The runtime's own tools, in the versions that .config/dotnet-tools.json names.</summary>
internal static class DotnetTool
{
    private static readonly Lazy<Task<string?>> Restored = new(RestoreAsync);

    /// <summary>Runs one to its end; skips the test where the tools cannot be had.</summary>
    public static async Task<ToolResult> RunAsync(string name, params string[] arguments)
    {
        string? failure = await Restored.Value;
        Requires.That(failure is null, $"needs {name}, which `dotnet tool restore` could not bring: {failure}");
        return await InRepositoryAsync(["tool", "run", name, "--", .. arguments]);
    }

    /// <returns>What went wrong; null: nothing.</returns>
    private static async Task<string?> RestoreAsync()
    {
        ToolResult result = await InRepositoryAsync("tool", "restore");
        return result.ExitCode == 0 ? null : $"{result.Output} {result.Error}".Trim();
    }

    /// <summary>Manifests are looked for from the working directory upwards.</summary>
    private static Task<ToolResult> InRepositoryAsync(params string[] arguments) =>
        Tool.RunAsync("env", ["-C", Repository.Root, "dotnet", .. arguments]);
}
