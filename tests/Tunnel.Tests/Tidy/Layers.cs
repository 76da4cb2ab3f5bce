using System.Text.RegularExpressions;

namespace Tunnel.Tests.Tidy;

/// <summary>Who may know whom. A layer is a project's folder; a project without layers is one as a whole.</summary>
internal static partial class Layers
{
    /// <summary>The layers of a project and the layers beside them that they may know.</summary>
    private static readonly Dictionary<string, Dictionary<string, string[]>> Within = new()
    {
        ["Tunnel.Protocol"] = new()
        {
            ["Primitives"] = [],
            ["Wire"] = ["Primitives"],
            ["Crypto"] = ["Primitives"],
            ["Fec"] = ["Primitives"],
            ["Kcp"] = ["Primitives"],
            ["Mux"] = ["Primitives"],
            ["Sessions"] = ["Primitives", "Wire", "Crypto", "Fec", "Kcp", "Mux"],
        },
        ["Tunnel.App"] = new()
        {
            ["Config"] = [],
            ["Runtime"] = ["Config"],
            ["Services"] = ["Config", "Runtime"],
            ["Diagnostics"] = ["Config", "Runtime", "Services"],
            ["Hosting"] = ["Config", "Runtime", "Services", "Diagnostics"],
        },
    };

    private static readonly Dictionary<string, string[]> BetweenProjects = new()
    {
        ["Tunnel.Protocol"] = [],
        ["Tunnel.Links"] = [],
        ["Tunnel.App"] = ["Tunnel.Protocol", "Tunnel.Links"],
    };

    /// <summary>What a file under src refers to and may not.</summary>
    /// <param name="file">The path from the root.</param>
    /// <param name="text">Its text.</param>
    public static IEnumerable<string> Offences(string file, string text)
    {
        (string project, string layer) = Place(file);
        if (!BetweenProjects.TryGetValue(project, out string[]? projects))
            return [$"{file}: the project {project} is not among those that the rules know"];
        if (Within.TryGetValue(project, out Dictionary<string, string[]>? layers) && !layers.ContainsKey(layer))
            return [$"{file}: '{layer}' is not one of {project}'s layers: {string.Join(", ", layers.Keys)}"];
        return References(text, project)
            .Where(r => !IsAllowed(file, project, layer, projects, r))
            .Select(r => $"{file}: {project}/{layer} may not know {r.Project}/{r.Layer}")
            .Distinct();
    }

    private static (string Project, string Layer) Place(string file)
    {
        string[] parts = file.Split('/');
        return (parts[1], parts.Length > 3 ? parts[2] : "");
    }

    private static bool IsAllowed(string file, string project, string layer, string[] projects, (string Project, string Layer) to)
    {
        if (to.Project != project)
            return projects.Contains(to.Project);
        if (!Within.TryGetValue(project, out Dictionary<string, string[]>? layers) || !layers.ContainsKey(to.Layer))
            return true;
        return to.Layer == layer || layers[layer].Contains(to.Layer);
    }

    private static IEnumerable<(string Project, string Layer)> References(string text, string project)
    {
        string code = CSharpText.CodeOnly(text);
        foreach (Match match in FromRoot().Matches(code))
            yield return ("Tunnel." + match.Groups["project"].Value, match.Groups["layer"].Value);
        if (!Within.TryGetValue(project, out Dictionary<string, string[]>? layers))
            yield break;
        foreach (Match match in FromProject().Matches(code))
        {
            if (layers.ContainsKey(match.Groups["layer"].Value))
                yield return (project, match.Groups["layer"].Value);
        }
    }

    // With or without the first word, which every namespace here begins with.
    [GeneratedRegex(@"(?<![\w.])(Tunnel\.(?<project>Protocol|Links|App)\b(\.(?<layer>\w+))?"
        + @"|(?<project>Protocol|Links|App)\.(?<layer>\w+))")]
    private static partial Regex FromRoot();

    // From inside of the project, its own name is not needed either.
    [GeneratedRegex(@"(?<![\w.])(?<layer>[A-Z]\w*)\.[A-Z]")]
    private static partial Regex FromProject();
}
